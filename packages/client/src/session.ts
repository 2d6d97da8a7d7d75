// Requests and their answers over whatever connection there is: queue, send, match, repeat.

import {
  encodeRequestFrame,
  FRAME_HEADER_BYTES,
  limits,
  type ReplyOf,
  type Request,
  type RequestOf,
  type ServerMessage,
  TqError,
  type Verb,
} from '@tq/core'
import { backoffMs } from './backoff.ts'
import {
  type Call,
  type CallPlan,
  cutOffError,
  makeCall,
  overdueError,
  requestToSend,
} from './call.ts'
import { ClaimLedger } from './claim-ledger.ts'
import type { ClientSettings } from './client-options.ts'
import type { Connection, HelloReply } from './connection.ts'
import { InFlight } from './in-flight.ts'
import { Outbox } from './outbox.ts'
import { Redial } from './redial.ts'
import { SweepTimer } from './sweep-timer.ts'

export interface SessionEvents {
  /** Connected; control requests made in here leave before all others. */
  ready?(hello: HelloReply): void
  lost?(error: TqError): void
  push?(channel: string, data: unknown): void
}

/** What a caller may say about one request. */
export interface CallOptions {
  /** Instead of the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number
  /** Aborting rejects with the signal's reason; what was sent may still take effect. */
  readonly signal?: AbortSignal
}

/** Bytes of frames handed to the socket before asking whether it wants more. */
const WRITE_BYTES_MAX = 1024 * 1024
/** Brokers that name each other as the owner must not send a request in circles. */
const REDIRECTS_MAX = 5

export class Session {
  /** 16 random bytes that name this session over all its connections. */
  readonly id: Uint8Array = new Uint8Array(16)
  readonly claims: ClaimLedger = new ClaimLedger()
  readonly settings: ClientSettings
  readonly #events: SessionEvents
  readonly #redial: Redial
  readonly #deadlines: SweepTimer
  readonly #outbox: Outbox
  readonly #inFlight = new InFlight()
  #connection: Connection | undefined
  /** What the broker takes; a larger frame would cost the connection, and then the next one. */
  #frameBytesMax: number = limits.FRAME_BYTES_MAX
  #isFlushDue = false
  #turnEnds: (() => void)[] = []
  #lastError: TqError | undefined
  #isClosed = false
  #whenIdle: (() => void) | undefined

  constructor(settings: ClientSettings, events: SessionEvents) {
    settings.random.fill(this.id)
    this.settings = settings
    this.#events = events
    this.#outbox = new Outbox(settings, settings.scheduler)
    this.#deadlines = new SweepTimer(settings, (nowMs) => this.#endOverdue(nowMs))
    this.#redial = new Redial(settings, this.id, {
      ready: (connection, hello) => this.#beReady(connection, hello),
      message: (message) => this.#take(message),
      drained: () => this.#flush(),
      lost: (error) => this.#lose(error),
      gaveUp: (error) => this.#failUnsent(error),
    })
  }

  get isConnected(): boolean {
    return this.#connection !== undefined
  }

  /** See {@link Connection.answeredSentAtMs}; 0 while there is no connection. */
  get answeredSentAtMs(): number {
    return this.#connection?.answeredSentAtMs ?? 0
  }

  /** Sends a request and waits for its answer; it is repeated over lost connections. */
  request<V extends Verb>(
    request: RequestOf<V>,
    options: CallOptions & { readonly waitMs?: number; readonly bytes?: number } = {},
  ): Promise<ReplyOf<V>> {
    const { signal, bytes = 0 } = options
    const timeoutMs = options.timeoutMs ?? this.settings.requestTimeoutMs + (options.waitMs ?? 0)
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const onAbort = (): void => this.abort(call, signal?.reason)
      const forget = (): void => signal?.removeEventListener('abort', onAbort)
      const call = this.send({
        // Indexing a union by a type parameter is beyond the compiler; the parameter type holds it.
        request: request as Request,
        deadlineAtMs: this.#nowMs() + timeoutMs,
        bytes,
        done: (result: ReplyOf<V>) => {
          forget()
          resolve(result)
        },
        failed: (error) => {
          forget()
          reject(error)
        },
      })
      if (call.state !== 'settled') signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Puts a request on its way; it leaves at the end of this turn if there is a connection. */
  send(plan: CallPlan): Call {
    const call = makeCall(plan, this.#nowMs())
    if (this.#isClosed) {
      this.#fail(call, cutOffError(call, 'the client is closed'))
      return call
    }
    if (!call.isControl && this.#outbox.isFullFor(call.bytes)) {
      this.#fail(call, this.#outboxFullError())
      return call
    }
    this.#enlist(call, call.isControl ? 'first' : 'last')
    this.#deadlines.arm(call.deadlineAtMs)
    this.#redial.start()
    return call
  }

  /** The caller does not want the answer any more. */
  abort(call: Call, reason: unknown): void {
    if (call.state === 'settled' || call.abort !== undefined) return
    call.abort = { reason }
    if (call.state !== 'in-flight') {
      this.#outbox.remove(call)
      return this.#fail(call, reason)
    }
    const { verb } = call.request
    if (verb === 'claim' || verb === 'wait') this.#sendAbort(call)
    // An aborted claim may have been served already: its leases must reach the caller.
    if (verb !== 'claim') this.#fail(call, reason)
  }

  /** Runs `gather` once before the frames of this turn are written, so that its requests join. */
  atTurnEnd(gather: () => void): void {
    this.#turnEnds.push(gather)
    this.#scheduleFlush()
  }

  /** Connects if need be, without a request. */
  connect(): void {
    if (!this.#isClosed) this.#redial.start()
  }

  /** Refuses new requests, waits for those on their way up to `deadlineMs`, and closes. */
  async close(deadlineMs: number): Promise<void> {
    if (this.#isClosed) return
    this.#gatherTurnEnds()
    this.#isClosed = true
    for (const call of this.#open()) if (isParked(call)) this.#settleAsClosed(call)
    if (this.#open().length > 0) await this.#untilIdle(deadlineMs)
    for (const call of this.#open()) this.#settleAsClosed(call)
    this.#deadlines.stop()
    this.#redial.stop()
    this.#connection = undefined
  }

  #beReady(connection: Connection, hello: HelloReply): void {
    this.#connection = connection
    this.#lastError = undefined
    this.#inFlight.max = Math.min(this.settings.inFlightMax, hello.limits.inFlightMax)
    this.#frameBytesMax = hello.limits.frameBytesMax
    this.#events.ready?.(hello)
    this.#scheduleFlush()
  }

  #lose(error: TqError): void {
    const wasConnected = this.#connection !== undefined
    this.#connection = undefined
    this.#lastError = error
    const cutOff = this.#inFlight.open()
    this.#inFlight.clear()
    // From the last to the first, each before the others: the order stays.
    for (const call of cutOff.toReversed()) {
      if (call.abort !== undefined) this.#fail(call, call.abort.reason)
      else if (call.isResent) this.#enlist(call, 'first')
      else this.#fail(call, cutOffError(call, 'the connection was lost', error))
    }
    if (wasConnected) this.#events.lost?.(error)
  }

  #failUnsent(error: TqError): void {
    for (const call of this.#outbox.all()) {
      this.#outbox.remove(call)
      const wasSent = call.firstSentAtMs !== undefined
      this.#fail(call, wasSent ? cutOffError(call, error.message, error) : error)
    }
  }

  #enlist(call: Call, place: 'last' | 'first'): void {
    this.#outbox.add(call, place)
    this.#scheduleFlush()
  }

  #scheduleFlush(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    this.settings.scheduler.soon(() => {
      this.#isFlushDue = false
      this.#flush()
    })
  }

  /** Writes what waits, as far as the broker and the socket take it. */
  #flush(): void {
    this.#gatherTurnEnds()
    const connection = this.#connection
    while (connection !== undefined && connection === this.#connection && connection.wantsMore) {
      const frames = this.#nextFrames()
      if (frames.length === 0) return
      connection.send(frames)
    }
  }

  #gatherTurnEnds(): void {
    const gathers = this.#turnEnds
    this.#turnEnds = []
    for (const gather of gathers) gather()
  }

  #nextFrames(): Uint8Array[] {
    const frames: Uint8Array[] = []
    const nowMs = this.#nowMs()
    let bytes = 0
    while (bytes < WRITE_BYTES_MAX && this.#maySendNext()) {
      const call = this.#outbox.take()
      const frame = call === undefined ? undefined : this.#launch(call, nowMs)
      if (frame === undefined) continue
      frames.push(frame)
      bytes += frame.length
    }
    return frames
  }

  #maySendNext(): boolean {
    const next = this.#outbox.peek()
    return next !== undefined && this.#inFlight.hasRoomFor(next)
  }

  #launch(call: Call, nowMs: number): Uint8Array | undefined {
    call.id = this.#inFlight.takeId()
    try {
      const frame = encodeRequestFrame(call.id, requestToSend(call, nowMs))
      refuseOversized(frame.length - FRAME_HEADER_BYTES, this.#frameBytesMax, call.request.verb)
      call.state = 'in-flight'
      call.sentAtMs = nowMs
      call.firstSentAtMs ??= nowMs
      this.#inFlight.add(call)
      return frame
    } catch (error) {
      this.#fail(call, error) // what cannot be written at all, such as a request over the limits
      return undefined
    }
  }

  #take(message: ServerMessage): void {
    if (message.kind === 'push') return this.#takePush(message.channel, message.data)
    const call = this.#inFlight.take(message.id)
    if (call === undefined) return
    this.#connection?.noteAnswered(call.sentAtMs)
    if (this.#outbox.waitingCount > 0) this.#scheduleFlush()
    if (call.state === 'settled') return
    if (message.kind === 'refusal') return this.#takeRefusal(call, message.error)
    if (call.abort !== undefined && isEmptyClaim(message.result)) {
      return this.#fail(call, call.abort.reason)
    }
    call.state = 'settled'
    call.done(message.result)
    this.#noteSettled()
  }

  #takeRefusal(call: Call, error: TqError): void {
    if (call.abort !== undefined) return this.#fail(call, call.abort.reason)
    if (error.code === 'NOT_OWNER' && call.redirects < REDIRECTS_MAX) {
      call.redirects += 1
      this.#enlist(call, 'first')
      if (this.#redial.goTo(error.details['address'])) return
      this.#outbox.remove(call)
    }
    if (this.#isClosed || !this.#pause(call, error)) this.#fail(call, error)
  }

  /** Tries again a little later if the broker is only busy. */
  #pause(call: Call, error: TqError): boolean {
    const isBusy = error.code === 'RESOURCE_EXHAUSTED' || error.code === 'UNAVAILABLE'
    if (!isBusy || !this.settings.retryRefusals) return false
    call.refusals += 1
    const { reconnect, random } = this.settings
    const ownMs = backoffMs(reconnect, call.refusals, random.chance())
    const delayMs = (error.retryAfterMs ?? 0) + ownMs
    if (this.#nowMs() + delayMs >= call.deadlineAtMs) return false
    this.#outbox.pause(call, delayMs, () => this.#scheduleFlush())
    return true
  }

  #takePush(channel: string, data: unknown): void {
    if (channel === 'closing') {
      const { reason, graceMs } = data as { reason: string; graceMs: number }
      this.settings.onEvent({ kind: 'closing', reason, graceMs })
    }
    this.#events.push?.(channel, data)
  }

  #sendAbort(call: Call): void {
    const ignore = (): void => {} // whatever it says, the aborted request gets its own answer
    this.send({
      request: { verb: 'abort', id: call.id },
      deadlineAtMs: this.#nowMs() + this.settings.requestTimeoutMs,
      isResent: false,
      isControl: true,
      done: ignore,
      failed: ignore,
    })
  }

  #endOverdue(nowMs: number): number {
    let nextAtMs = Infinity
    for (const call of this.#open()) {
      if (call.deadlineAtMs > nowMs) {
        nextAtMs = Math.min(nextAtMs, call.deadlineAtMs)
        continue
      }
      // One in flight keeps its id until its answer comes, so that no other request gets it.
      if (call.state !== 'in-flight') this.#outbox.remove(call)
      this.#fail(call, call.abort?.reason ?? overdueError(call, this.#lastError))
    }
    return nextAtMs
  }

  #settleAsClosed(call: Call): void {
    if (call.state !== 'in-flight') this.#outbox.remove(call)
    this.#fail(call, cutOffError(call, 'the client was closed'))
  }

  #fail(call: Call, error: unknown): void {
    call.state = 'settled'
    call.failed(error)
    this.#noteSettled()
  }

  #noteSettled(): void {
    if (this.#whenIdle !== undefined && this.#open().length === 0) this.#whenIdle()
  }

  /** Everything somebody waits for. */
  #open(): Call[] {
    return [...this.#outbox.all(), ...this.#inFlight.open()]
  }

  #untilIdle(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.settings.scheduler.after(deadlineMs, resolve)
      this.#whenIdle = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #outboxFullError(): TqError {
    const why = this.#lastError === undefined ? '' : ` (${this.#lastError.message})`
    const text = `${this.#outbox.describe()}${why}`
    return new TqError('RESOURCE_EXHAUSTED', text, {}, this.#lastError)
  }

  #nowMs(): number {
    return this.settings.clock.monotonicMs()
  }
}

function refuseOversized(bytes: number, limit: number, verb: Verb): void {
  if (bytes <= limit) return
  const text = `this broker takes requests of ${limit} bytes, this ${verb} has ${bytes}`
  throw new TqError('TOO_LARGE', text, { limit, bytes })
}

function isParked(call: Call): boolean {
  return call.request.verb === 'claim' || call.request.verb === 'wait'
}

function isEmptyClaim(result: unknown): boolean {
  return (result as Partial<ReplyOf<'claim'>>).tasks?.length === 0
}
