// The TCP server: listens, limits connections, greets, drains.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import {
  type HelloRequest,
  limits,
  PROTOCOL_VERSION,
  type ReplyOf,
  type Request,
  TqError,
} from '@tq/core'
import type { Conversation } from '../pipeline/conversation.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { AddressLimits, isLoopback, type PerAddressLimits } from './address-limits.ts'
import { Connection, type ConnectionLimits, type Door } from './connection.ts'

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly connectionsMax: number
  readonly connection: ConnectionLimits
  readonly perAddress: PerAddressLimits
  readonly version: string
  readonly epoch: number
  readonly heartbeatMs: number
  readonly workerDeadMs: number
}

export interface ServerParts {
  readonly pipeline: Pipeline
  /** The name of the principal behind a token; undefined if it opens nothing. */
  readonly authenticate: (token: string | undefined, isLoopback: boolean) => string | undefined
  readonly newSession: () => Uint8Array
  readonly wallMs: () => number
  readonly onConnection: (event: 'opened' | 'closed' | 'refused', detail: string) => void
}

const SWEEP_MS = 1_000

export class TcpServer implements Door {
  readonly #options: ServerOptions
  readonly #parts: ServerParts
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #conversations = new Map<Connection, Conversation>()
  readonly #addresses: AddressLimits
  #sweeper: NodeJS.Timeout | undefined

  constructor(parts: ServerParts, options: ServerOptions) {
    this.#parts = parts
    this.#options = options
    this.#addresses = new AddressLimits(options.perAddress)
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
      this.#accept(socket),
    )
    this.#server.maxConnections = options.connectionsMax
    this.#server.on('drop', () => parts.onConnection('refused', 'too many connections'))
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo
    return { host: address, port }
  }

  /** @throws the error of listening, such as EADDRINUSE. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: this.#options.host, port: this.#options.port }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#sweeper.unref()
  }

  /** Takes no more connections and tells those that are there. */
  announceClosing(reason: string, graceMs: number): void {
    this.#server.close()
    for (const conversation of this.#conversations.values()) {
      conversation.push('closing', { reason, graceMs })
    }
  }

  /** Ends all connections once their answers are written; after the deadline, whatever they do. */
  async stop(deadlineMs: number): Promise<void> {
    clearInterval(this.#sweeper)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.#connections) connection.end('the broker stops')
    const timer = setTimeout(() => this.destroy('the broker stops'), deadlineMs)
    await closed
    clearTimeout(timer)
  }

  destroy(reason: string): void {
    clearInterval(this.#sweeper)
    this.#server.close()
    for (const connection of this.#connections) connection.destroy(reason)
  }

  greet(
    connection: Connection,
    hello: HelloRequest,
  ): { readonly conversation: Conversation; readonly reply: ReplyOf<'hello'> } {
    if (hello.protocol !== PROTOCOL_VERSION) {
      const text = `this broker speaks protocol ${PROTOCOL_VERSION}, not ${hello.protocol}`
      throw new TqError('UNSUPPORTED', text, { protocol: PROTOCOL_VERSION })
    }
    const { pipeline, authenticate, newSession } = this.#parts
    const principal = authenticate(hello.token, isLoopback(connection.remoteAddress))
    if (principal === undefined) {
      const what = hello.token === undefined ? 'a token is needed' : 'this token opens nothing'
      throw new TqError('UNAUTHENTICATED', what)
    }
    const session = hello.session ?? newSession()
    const conversation = pipeline.open(connection, { principal, session })
    this.#conversations.set(connection, conversation)
    this.#addresses.greeted(connection.remoteAddress)
    return { conversation, reply: this.#welcome(principal, session) }
  }

  receive(conversation: Conversation, id: number, request: Request): void {
    this.#parts.pipeline.receive(conversation, id, request)
  }

  close(connection: Connection, conversation: Conversation | undefined, reason: string): void {
    this.#connections.delete(connection)
    this.#conversations.delete(connection)
    this.#addresses.closed(connection.remoteAddress, conversation !== undefined)
    if (conversation !== undefined) this.#parts.pipeline.close(conversation)
    this.#parts.onConnection('closed', reason)
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    const refusal = this.#addresses.admit(address, performance.now())
    if (refusal !== undefined) {
      socket.destroy()
      this.#parts.onConnection('refused', refusal)
      return
    }
    const nowMs = performance.now()
    const connection = new Connection(socket, this, { ...this.#options.connection, nowMs })
    this.#connections.add(connection)
    this.#parts.onConnection('opened', address)
  }

  #welcome(principal: string, session: Uint8Array): ReplyOf<'hello'> {
    const { version, epoch, heartbeatMs, workerDeadMs, connection } = this.#options
    return {
      protocol: PROTOCOL_VERSION,
      broker: { name: 'tq-broker', version, epoch },
      session,
      principal,
      heartbeatMs,
      workerDeadMs,
      wallMs: this.#parts.wallMs(),
      limits: {
        frameBytesMax: connection.frameBytesMax,
        payloadBytesMax: limits.PAYLOAD_BYTES_MAX,
        resultBytesMax: limits.RESULT_BYTES_MAX,
        itemsMax: limits.ITEMS_PER_REQUEST_MAX,
        inFlightMax: connection.inFlightMax,
      },
    }
  }

  #sweep(): void {
    const nowMs = performance.now()
    for (const connection of this.#connections) connection.sweep(nowMs)
  }
}
