// One connection to one broker: dial, greet, frames out and messages in, and the watch over silence.

import {
  decodeServerMessage,
  encodeRequestFrame,
  FrameDecoder,
  limits,
  PROTOCOL_VERSION,
  type HelloRequest,
  type Replies,
  type ServerMessage,
  type Timer,
  TqError,
} from '@tq/core'
import { type Address, DEFAULT_PORT, formatAddress } from './address.ts'
import type { ClientSettings } from './client-options.ts'
import { CLIENT_VERSION } from './client-version.ts'
import type { Wire } from './wire.ts'

export type HelloReply = Replies['hello']

export interface ConnectionEvents {
  /** The broker accepted the greeting. */
  ready(hello: HelloReply): void
  /** An answer or a push that belongs to the user of this connection. */
  message(message: ServerMessage): void
  drained(): void
  /** Once, whatever ended the connection; nothing comes after it. */
  lost(error: TqError): void
}

/** Id of hello, and then of the pings of this connection: never of its user's requests. */
const OWN_ID = 1
export const FIRST_USER_ID: number = OWN_ID + 1
/** So many intervals without a byte, and the broker is held for gone. */
const SILENT_INTERVALS_MAX = 3
/** `HTTP`: how the broker's other port answers what it does not understand. */
const HTTP_ANSWER = [0x48, 0x54, 0x54, 0x50]

export class Connection {
  readonly address: Address
  readonly #settings: ClientSettings
  readonly #events: ConnectionEvents
  readonly #decoder = new FrameDecoder(limits.FRAME_BYTES_MAX)
  readonly #wire: Wire
  #state: 'dialing' | 'greeting' | 'ready' | 'lost' = 'dialing'
  #wantsMore = true
  #timer: Timer | undefined
  #keepaliveMs = 0
  #heardAtMs: number
  #dueAtMs = 0
  #ownSentAtMs = 0
  #isPinging = false
  #answeredSentAtMs = 0

  constructor(
    settings: ClientSettings,
    to: { readonly address: Address; readonly session: Uint8Array },
    events: ConnectionEvents,
  ) {
    this.address = to.address
    this.#settings = settings
    this.#events = events
    this.#heardAtMs = this.#nowMs()
    this.#timer = settings.scheduler.after(settings.connectTimeoutMs, () => this.#giveUpDialing())
    this.#wire = settings.dial(to.address, {
      opened: () => this.#greet(to.session),
      data: (chunk) => this.#take(chunk),
      drained: () => this.#drain(),
      closed: (error) => this.#lose(this.#closedError(error)),
    })
  }

  /** False: the wire is full; hold back until `drained`. */
  get wantsMore(): boolean {
    return this.#wantsMore
  }

  /**
   * When the newest request that has been answered was sent, by the monotonic clock. The broker
   * wrote whatever is read now after that moment.
   */
  get answeredSentAtMs(): number {
    return this.#answeredSentAtMs
  }

  noteAnswered(sentAtMs: number): void {
    if (sentAtMs > this.#answeredSentAtMs) this.#answeredSentAtMs = sentAtMs
  }

  send(frames: readonly Uint8Array[]): void {
    if (this.#state === 'lost') return
    this.#wantsMore = this.#wire.write(frames)
  }

  /** Sends what is buffered and closes; `lost` is not called any more. */
  end(): void {
    if (this.#state === 'lost') return
    this.#forget()
    this.#wire.end()
  }

  /** Closes at once; `lost` is not called any more. */
  destroy(): void {
    if (this.#state === 'lost') return
    this.#forget()
    this.#wire.destroy()
  }

  #greet(session: Uint8Array): void {
    if (this.#state !== 'dialing') return
    this.#state = 'greeting'
    const { token, name } = this.#settings
    const hello: HelloRequest = {
      verb: 'hello',
      protocol: PROTOCOL_VERSION,
      client: { name, version: CLIENT_VERSION },
      session,
      ...(token === undefined ? {} : { token }),
    }
    this.#ownSentAtMs = this.#nowMs()
    this.send([encodeRequestFrame(OWN_ID, hello)])
  }

  #take(chunk: Uint8Array): void {
    if (this.#state === 'lost') return
    this.#heardAtMs = this.#nowMs()
    try {
      for (const body of this.#decoder.push(chunk)) this.#deliver(decodeServerMessage(body))
    } catch (error) {
      if (!(error instanceof TqError)) throw error
      this.#lose(this.#strangeError(chunk, error))
    }
  }

  #deliver(message: ServerMessage): void {
    if (this.#state === 'lost') return
    if (message.kind === 'refusal' && message.id === 0) return this.#lose(message.error)
    if (message.kind === 'push' || message.id !== OWN_ID) return this.#events.message(message)
    this.noteAnswered(this.#ownSentAtMs)
    if (this.#state === 'ready') {
      this.#isPinging = false
      return
    }
    if (message.kind === 'refusal') return this.#lose(message.error)
    this.#becomeReady(helloIn(message.result))
  }

  #becomeReady(hello: HelloReply): void {
    this.#state = 'ready'
    this.#keepaliveMs = Math.min(hello.heartbeatMs, this.#settings.keepaliveMs)
    this.#watch()
    this.#events.ready(hello)
  }

  /** Pings a quiet broker: a half-open connection takes writes for minutes without an error. */
  #watch(): void {
    this.#timer?.cancel()
    this.#dueAtMs = this.#nowMs() + this.#keepaliveMs
    this.#timer = this.#settings.scheduler.after(this.#keepaliveMs, () => {
      const nowMs = this.#nowMs()
      // A loop that stalled has not read what arrived meanwhile: that silence is its own.
      if (nowMs - this.#dueAtMs > this.#keepaliveMs / 2) this.#heardAtMs = nowMs
      const silentMs = nowMs - this.#heardAtMs
      if (silentMs >= this.#keepaliveMs * SILENT_INTERVALS_MAX) {
        const text = `${this.#name()} has been silent for ${Math.round(silentMs)} ms`
        return this.#lose(new TqError('UNAVAILABLE', text))
      }
      this.#ping(nowMs)
      this.#watch()
    })
  }

  #ping(nowMs: number): void {
    if (this.#isPinging) return
    this.#isPinging = true
    this.#ownSentAtMs = nowMs
    this.send([encodeRequestFrame(OWN_ID, { verb: 'ping' })])
  }

  #drain(): void {
    this.#wantsMore = true
    if (this.#state !== 'lost') this.#events.drained()
  }

  #giveUpDialing(): void {
    const { connectTimeoutMs } = this.#settings
    const step = this.#state === 'dialing' ? 'did not accept a connection' : 'did not greet back'
    this.#lose(new TqError('UNAVAILABLE', `${this.#name()} ${step} within ${connectTimeoutMs} ms`))
  }

  #strangeError(chunk: Uint8Array, cause: TqError): TqError {
    const isHttp = HTTP_ANSWER.every((byte, at) => chunk[at] === byte)
    const text = isHttp
      ? `what answers at ${formatAddress(this.address)} speaks HTTP: give the port for clients (usually ${DEFAULT_PORT}), not the one for metrics and health`
      : `${this.#name()} sent bytes that are not protocol ${PROTOCOL_VERSION}: ${cause.message}`
    return new TqError('UNAVAILABLE', text, { field: 'address' }, cause)
  }

  #closedError(cause: Error | undefined): TqError {
    const doing = this.#state === 'dialing' ? 'cannot connect to' : 'lost the connection to'
    const why = cause === undefined ? 'the broker closed it' : cause.message || String(cause)
    return new TqError('UNAVAILABLE', `${doing} ${this.#name()}: ${why}`, {}, cause)
  }

  #lose(error: TqError): void {
    if (this.#state === 'lost') return
    this.#forget()
    this.#wire.destroy()
    this.#events.lost(error)
  }

  #forget(): void {
    this.#state = 'lost'
    this.#timer?.cancel()
  }

  #name(): string {
    return `the broker at ${formatAddress(this.address)}`
  }

  #nowMs(): number {
    return this.#settings.clock.monotonicMs()
  }
}

/** Not every server that frames its bytes as a broker does is one. @throws {TqError} */
function helloIn(result: unknown): HelloReply {
  const { heartbeatMs, limits: bounds, broker } = (result ?? {}) as Partial<HelloReply>
  const { inFlightMax, frameBytesMax } = bounds ?? {}
  const numbers = [heartbeatMs, inFlightMax, frameBytesMax]
  const isHello = numbers.every((number) => typeof number === 'number' && number > 0)
  if (isHello && typeof broker === 'object') return result as HelloReply
  throw new TqError('BAD_REQUEST', 'the answer to hello must name heartbeatMs, limits and broker')
}
