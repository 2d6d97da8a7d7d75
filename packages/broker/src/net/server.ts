// The TCP server: listens, limits connections, hands over their requests, drains.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import {
  encodeRefusalFrame,
  type ErrorCode,
  type HelloRequest,
  invariant,
  type ReplyOf,
  type Request,
  type Timer,
  TqError,
} from '@tq/core'
import { isLoopback } from '../access/loopback.ts'
import type { Conversation } from '../pipeline/conversation.ts'
import type { World } from '../pipeline/partition.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { AddressLimits, type PerAddressLimits } from './address-limits.ts'
import { Connection, type ConnectionLimits, type Door } from './connection.ts'
import { REFUSALS_AT_ONCE } from './descriptors.ts'
import { InputBudget } from './input-budget.ts'
import { Reception, type Welcome } from './reception.ts'

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly connectionsMax: number
  /** Bytes of requests that are held for all clients together; beyond, nothing is read. */
  readonly inputBytesMax: number
  readonly connection: ConnectionLimits
  readonly perAddress: PerAddressLimits
  readonly welcome: Omit<Welcome, 'frameBytesMax' | 'inFlightMax'>
}

export interface ServerParts {
  readonly pipeline: Pipeline
  readonly world: World
  /** The name of the principal behind a token; undefined if it opens nothing. */
  readonly authenticate: (token: string | undefined, isLoopback: boolean) => string | undefined
  /** Where a connection comes from; what its socket says if left out. */
  readonly addressOf?: (socket: Socket) => string
  readonly onConnection: (event: ConnectionEvent, about: AboutConnection) => void
  readonly onRefusedHello: (code: ErrorCode) => void
}

export interface ListeningAddress {
  readonly host: string
  readonly port: number
}

export type ConnectionEvent = 'opened' | 'closed' | 'refused'

export interface AboutConnection {
  readonly address: string
  /** Why it was closed or refused. */
  readonly reason?: string
}

/** Longest and shortest time between two looks at the deadlines of all connections. */
const SWEEP_MS_MAX = 1_000
const SWEEP_MS_MIN = 25
/** A look that comes this much too late means that the process stood still. */
const STALL_MS = 1_000
/** So many looks within the shortest deadline. */
const SWEEPS_PER_DEADLINE = 4
/** Connections that wait to be taken: after a restart all clients come at once. */
const BACKLOG = 4_096
const RETRY_AFTER_MS = 1_000

export class TcpServer implements Door {
  readonly #options: ServerOptions
  readonly #parts: ServerParts
  readonly #server: Server
  readonly #reception: Reception
  readonly #addresses: AddressLimits
  readonly #input: InputBudget
  readonly #connections = new Set<Connection>()
  readonly #conversations = new Set<Conversation>()
  #address: ListeningAddress | undefined
  #sweeper: Timer | undefined
  #stopping: Promise<void> | undefined
  #onLastClosed: () => void = () => undefined

  constructor(parts: ServerParts, options: ServerOptions) {
    this.#parts = parts
    this.#options = options
    this.#addresses = new AddressLimits(options.perAddress)
    this.#input = new InputBudget(options.inputBytesMax)
    const { pipeline, world, authenticate } = parts
    const { frameBytesMax, inFlightMax } = options.connection
    this.#reception = new Reception(
      { pipeline, authenticate, random: world.random, wallMs: () => world.clock.wallMs() },
      { ...options.welcome, frameBytesMax, inFlightMax },
    )
    // Half-open is allowed so that we decide what is still written to a client that sends no more.
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
      this.#accept(socket),
    )
    // Those who are refused in words hold a descriptor as well: beyond, they are dropped at once.
    this.#server.maxConnections = options.connectionsMax + REFUSALS_AT_ONCE
    this.#server.on('drop', (about) => {
      const reason = `more than ${options.connectionsMax} connections`
      this.#parts.onConnection('refused', { address: about?.remoteAddress ?? '', reason })
    })
  }

  /** Bytes of requests that have not been answered, and of large ones on their way. */
  get inputBytes(): number {
    return this.#input.bytes
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Where it listens, or has listened. */
  get address(): ListeningAddress {
    invariant(this.#address !== undefined, 'a server that has started has an address')
    return this.#address
  }

  /** @throws the error of listening, such as EADDRINUSE. */
  async start(): Promise<void> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    const { address, port: boundPort } = this.#server.address() as AddressInfo
    this.#address = { host: address, port: boundPort }
    // A connection could not be taken, for want of file descriptors perhaps: the others go on.
    this.#server.on('error', (error) =>
      this.#parts.onConnection('refused', { address: '', reason: error.message }),
    )
    this.#sweepLater()
  }

  /** Takes no more connections, and tells those that are there. */
  announceClosing(reason: string, graceMs: number): void {
    this.#server.close()
    for (const conversation of this.#conversations) {
      conversation.push('closing', { reason, graceMs })
    }
  }

  /**
   * Ends each connection when all its requests are answered; after the deadline, whatever is still
   * open. Resolves when nothing listens and nobody is connected. Safe before start, safe twice.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs)
    return this.#stopping
  }

  /** Ends all connections at once. */
  destroy(reason: string): void {
    this.#sweeper?.cancel()
    this.#server.close()
    for (const connection of this.#connections) connection.destroy(reason)
  }

  greet(
    connection: Connection,
    hello: HelloRequest,
  ): { readonly conversation: Conversation; readonly reply: ReplyOf<'hello'> } {
    const { address } = connection
    try {
      const greeted = this.#reception.greet(connection, hello, isLoopback(address))
      this.#conversations.add(greeted.conversation)
      this.#addresses.greeted(address)
      return greeted
    } catch (error) {
      if (error instanceof TqError) this.#parts.onRefusedHello(error.code)
      throw error
    }
  }

  receive(conversation: Conversation, id: number, request: Request, bytes: number): void {
    this.#parts.pipeline.receive(conversation, id, request, bytes)
  }

  hangUp(conversation: Conversation): void {
    this.#conversations.delete(conversation)
    this.#parts.pipeline.close(conversation)
  }

  closed(connection: Connection, reason: string): void {
    const { address } = connection
    this.#connections.delete(connection)
    this.#addresses.closed(address, connection.isGreeted)
    this.#parts.onConnection('closed', { address, reason })
    if (this.#connections.size === 0) this.#onLastClosed()
  }

  #accept(socket: Socket): void {
    const { world, addressOf = remoteAddressOf } = this.#parts
    const { clock } = world
    const address = addressOf(socket)
    const reason = this.#refusalOf(address, clock.monotonicMs())
    if (reason !== undefined) {
      refuse(socket, reason)
      this.#parts.onConnection('refused', { address, reason })
      return
    }
    const limits = this.#options.connection
    const input = this.#input
    this.#connections.add(new Connection(socket, this, { limits, clock, address, input }))
    this.#parts.onConnection('opened', { address })
  }

  #refusalOf(address: string, nowMs: number): string | undefined {
    const { connectionsMax } = this.#options
    if (address === '') return 'the client had gone before it was taken'
    if (this.#connections.size >= connectionsMax) return `more than ${connectionsMax} connections`
    return this.#addresses.admit(address, nowMs)
  }

  async #stop(deadlineMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    const left = new Promise<void>((resolve) => (this.#onLastClosed = resolve))
    const reason = 'the broker stops'
    for (const connection of this.#connections) connection.drain(reason)
    const deadline = this.#parts.world.scheduler.after(deadlineMs, () => this.destroy(reason))
    // Sockets are gone a moment before they say so.
    await Promise.all([closed, this.#connections.size === 0 ? undefined : left])
    deadline.cancel()
    this.#sweeper?.cancel()
  }

  #sweepLater(): void {
    const { helloMs, frameMs, idleMs, writeStallMs } = this.#options.connection
    const shortestMs = Math.min(helloMs, frameMs, idleMs, writeStallMs)
    const everyMs = Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, shortestMs / SWEEPS_PER_DEADLINE))
    const { clock, scheduler } = this.#parts.world
    const dueAtMs = clock.monotonicMs() + everyMs
    this.#sweeper = scheduler.after(everyMs, () => {
      const nowMs = clock.monotonicMs()
      // While this process stood still, its clients may have kept all their deadlines: what they
      // sent is read first, and the next look sees it.
      if (nowMs - dueAtMs < STALL_MS) this.#sweep(nowMs)
      this.#sweepLater()
    })
  }

  #sweep(nowMs: number): void {
    for (const connection of this.#connections) connection.sweep(nowMs)
    this.#addresses.sweep(nowMs)
  }
}

/** Empty if the client has gone already. */
function remoteAddressOf(socket: Socket): string {
  return socket.remoteAddress ?? ''
}

/** Says why, as far as the system takes it without waiting, and ends. */
function refuse(socket: Socket, reason: string): void {
  socket.on('error', () => undefined)
  const text = `the broker takes no more connections now: ${reason}`
  socket.end(encodeRefusalFrame(0, 'RESOURCE_EXHAUSTED', text, { retryAfterMs: RETRY_AFTER_MS }))
  socket.destroySoon()
}
