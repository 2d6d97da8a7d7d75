// A broker for tests: a real TCP server that answers as each test tells it to.

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import {
  decodeRequest,
  encodePushFrame,
  encodeRefusalFrame,
  encodeReplyFrame,
  type ErrorCode,
  type ErrorDetails,
  FrameDecoder,
  limits,
  type Replies,
  type RequestOf,
  type Verb,
} from '@tq/core'

/** One request, and the ways to answer it. */
export class Exchange<V extends Verb = Verb> {
  readonly id: number
  readonly request: RequestOf<V>
  readonly socket: Socket
  /** Number of the connection, from 1. */
  readonly connection: number

  constructor(at: { id: number; socket: Socket; connection: number }, request: RequestOf<V>) {
    this.id = at.id
    this.socket = at.socket
    this.connection = at.connection
    this.request = request
  }

  reply(result: Replies[V], lsn = 1): void {
    this.socket.write(encodeReplyFrame(this.id, result, lsn))
  }

  refuse(code: ErrorCode, message = 'refused by the script', details: ErrorDetails = {}): void {
    this.socket.write(encodeRefusalFrame(this.id, code, message, details))
  }

  /** Cuts the connection without an answer. */
  drop(): void {
    this.socket.destroy()
  }
}

/** What to do with requests of a verb. Verbs that are not named wait for `next`. */
export type Script = { [V in Verb]?: (exchange: Exchange<V>) => void }

export const HELLO: Replies['hello'] = {
  protocol: 1,
  broker: { name: 'scripted', version: '0.0.0', epoch: 1 },
  session: new Uint8Array(16),
  principal: 'tester',
  heartbeatMs: 5_000,
  workerDeadMs: 15_000,
  wallMs: 0,
  limits: {
    frameBytesMax: limits.FRAME_BYTES_MAX,
    payloadBytesMax: limits.PAYLOAD_BYTES_MAX,
    resultBytesMax: limits.RESULT_BYTES_MAX,
    itemsMax: limits.ITEMS_PER_REQUEST_MAX,
    inFlightMax: 256,
  },
}

/** Answers that most tests do not care about. */
const POLITE: Script = {
  hello: (exchange) => exchange.reply(HELLO),
  ping: (exchange) => exchange.reply({ wallMs: 1 }),
  register: (exchange) => exchange.reply({ worker: new Uint8Array(16) }),
  leave: (exchange) => exchange.reply({ released: 0 }),
  heartbeat: (exchange) => exchange.reply({}),
  progress: (exchange) => exchange.reply({ ok: exchange.request.tasks.length }),
  abort: (exchange) => exchange.reply({ aborted: true }),
}

export class ScriptedBroker {
  /** Every request in the order of arrival, pings of the keepalive too. */
  readonly seen: Exchange[] = []
  /** Chunks of bytes that arrived, each as one entry; shows what left in one write. */
  readonly chunks: number[] = []
  script: Script
  /** The answer to a claim that is aborted. */
  abortedClaim: Replies['claim'] = { tasks: [], leaseMs: 0 }
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #unread: Exchange[] = []
  #readers: { matches: (exchange: Exchange) => boolean; take: (exchange: Exchange) => void }[] = []
  #connections = 0
  #port = 0

  private constructor(script: Script) {
    this.script = script
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  static async start(script: Script = {}, port = 0): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script)
    broker.#server.listen(port, '127.0.0.1')
    await once(broker.#server, 'listening')
    const address = broker.#server.address()
    broker.#port = typeof address === 'object' && address !== null ? address.port : 0
    return broker
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  get connectionCount(): number {
    return this.#sockets.size
  }

  /** The next request of this verb that nobody has asked for yet. */
  next<V extends Verb>(
    verb: V,
    fits: (exchange: Exchange<V>) => boolean = () => true,
  ): Promise<Exchange<V>> {
    const matches = (exchange: Exchange): boolean => {
      return exchange.request.verb === verb && fits(exchange as unknown as Exchange<V>)
    }
    const at = this.#unread.findIndex(matches)
    const [found] = at < 0 ? [] : this.#unread.splice(at, 1)
    if (found !== undefined) return Promise.resolve(found as unknown as Exchange<V>)
    return new Promise((resolve) => {
      this.#readers.push({ matches, take: (each) => resolve(each as unknown as Exchange<V>) })
    })
  }

  /** Requests of this verb seen so far. */
  requests<V extends Verb>(verb: V): RequestOf<V>[] {
    return this.seen
      .filter((exchange) => exchange.request.verb === verb)
      .map((exchange) => exchange.request as RequestOf<V>)
  }

  push(channel: string, data: unknown): void {
    for (const socket of this.#sockets) socket.write(encodePushFrame(channel, data))
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Lets the process end although this broker listens. */
  unref(): void {
    this.#server.unref()
    for (const socket of this.#sockets) socket.unref()
  }

  async stop(): Promise<void> {
    this.dropConnections()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    this.#connections += 1
    const connection = this.#connections
    const decoder = new FrameDecoder(limits.FRAME_BYTES_MAX)
    socket.on('data', (chunk) => {
      this.chunks.push(chunk.length)
      for (const body of decoder.push(chunk)) {
        const { id, request } = decodeRequest(body)
        this.#take(new Exchange({ id, socket, connection }, request))
      }
    })
    socket.on('error', () => {}) // a client that goes away is part of many tests
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #take(exchange: Exchange): void {
    this.seen.push(exchange)
    const { verb } = exchange.request
    const scripted = (this.script[verb] ?? POLITE[verb]) as
      ((exchange: Exchange) => void) | undefined
    const reader = this.#readers.find((each) => each.matches(exchange))
    if (reader !== undefined) {
      this.#readers = this.#readers.filter((each) => each !== reader)
      reader.take(exchange)
    } else if (scripted === undefined) {
      this.#unread.push(exchange)
    }
    scripted?.(exchange)
    if (verb === 'abort' && this.script.abort === undefined)
      this.#endParked(exchange as Exchange<'abort'>)
  }

  /** Ends the aborted request as a broker does: a claim has its answer, a wait is not done. */
  #endParked(abort: Exchange<'abort'>): void {
    const parked = this.seen.findLast((each) => {
      return each.id === abort.request.id && each.socket === abort.socket
    })
    if (parked?.request.verb === 'claim') (parked as Exchange<'claim'>).reply(this.abortedClaim)
    if (parked?.request.verb === 'wait') (parked as Exchange<'wait'>).reply({ done: false })
  }
}
