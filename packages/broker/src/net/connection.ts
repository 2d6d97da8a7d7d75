// One socket: bytes in, requests in order, answers out, pressure in both directions.

import {
  type Clock,
  decodeRequest,
  encodeRefusalFrame,
  type HelloRequest,
  limits,
  type ReplyOf,
  type Request,
  RequestError,
  TqError,
} from '@tq/core'
import type { Conversation, Sink } from '../pipeline/conversation.ts'
import type { ByteStream } from './byte-stream.ts'
import { Deadlines, type Patience } from './deadlines.ts'
import { Inbox } from './inbox.ts'
import { type FrameRoom, InputBudget } from './input-budget.ts'
import { Outbox } from './outbox.ts'

export interface ConnectionLimits extends Patience {
  readonly frameBytesMax: number
  readonly inFlightMax: number
  /** Answers that wait for the client: at this it is not read, at twice this the socket ends. */
  readonly outputBytesMax: number
}

/** What a connection needs of the broker. */
export interface Door {
  /** Begins a conversation. @throws {TqError} if the greeting is refused. */
  greet(
    connection: Connection,
    hello: HelloRequest,
  ): { readonly conversation: Conversation; readonly reply: ReplyOf<'hello'> }
  receive(conversation: Conversation, id: number, request: Request, bytes: number): void
  /** The client hears nothing more; its socket may still need a moment to end. */
  hangUp(conversation: Conversation): void
  /** The socket is gone. */
  closed(connection: Connection, reason: string): void
}

/** How long the client may take to read the last words of an ending connection, in ms. */
const LINGER_MS = 2_000

type Phase = 'greeting' | 'talking' | 'ending' | 'closed'

export class Connection implements Sink {
  readonly address: string
  readonly #socket: ByteStream
  readonly #door: Door
  readonly #limits: ConnectionLimits
  readonly #clock: Clock
  readonly #inbox = new Inbox()
  readonly #deadlines: Deadlines
  readonly #outbox: Outbox
  readonly #input: InputBudget
  /** Bytes of the inbox as the budget knows them. */
  #heldBytes = 0
  /** Room for the frame that is coming, if it is a large one. */
  #room: FrameRoom | undefined
  #phase: Phase = 'greeting'
  #conversation: Conversation | undefined
  #isDelivering = false
  #isFlushing = false
  /** The pipeline wants requests. */
  #isWanted = true
  #isDraining = false
  #endedAtMs = 0
  #reason: string | undefined

  constructor(
    socket: ByteStream,
    door: Door,
    options: {
      readonly limits: ConnectionLimits
      readonly clock: Clock
      readonly address: string
      /** Shared by all connections; without it this one has no other bound than its own. */
      readonly input?: InputBudget
    },
  ) {
    this.address = options.address
    this.#socket = socket
    this.#door = door
    this.#limits = options.limits
    this.#clock = options.clock
    this.#input = options.input ?? new InputBudget(Infinity)
    this.#input.join(this.#steer)
    const monotonicMs = (): number => options.clock.monotonicMs()
    this.#deadlines = new Deadlines(options.limits, monotonicMs())
    this.#outbox = new Outbox(socket, monotonicMs, () => this.#goOn())
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('end', () => this.#onEnd())
    socket.on('error', (error) => (this.#reason ??= error.message))
    socket.on('close', () => this.#onClose())
  }

  get isGreeted(): boolean {
    return this.#conversation !== undefined
  }

  get isFull(): boolean {
    return this.#outbox.bytes > this.#limits.outputBytesMax
  }

  send(frame: Uint8Array): void {
    if (this.#phase === 'ending' || this.#phase === 'closed') return
    this.#outbox.add(frame)
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(this.#flush)
  }

  setReading(isReading: boolean): void {
    this.#isWanted = isReading
    this.#goOn()
  }

  /** Looks at the clocks of this connection; called about once a second. */
  sweep(nowMs: number): void {
    if (this.#phase === 'ending') {
      this.#sweepEnding(nowMs)
      return
    }
    const reason = this.#deadlines.overdue(nowMs, {
      isGreeted: this.isGreeted,
      isReading: !this.#socket.isPaused(),
      isBusy: this.#inFlight > 0,
      stalledSinceMs: this.#outbox.stalledSinceMs,
    })
    if (reason !== undefined) this.destroy(reason)
  }

  /** Ends as soon as all requests are answered. */
  drain(reason: string): void {
    this.#isDraining = true
    this.#reason ??= reason
    this.#endIfDrained()
  }

  destroy(reason: string): void {
    this.#reason ??= reason
    this.#hangUp()
    this.#socket.destroy()
  }

  #sweepEnding(nowMs: number): void {
    const { stalledSinceMs } = this.#outbox
    // The time to end begins when all is written.
    if (stalledSinceMs !== undefined) this.#endedAtMs = nowMs
    const isStuck =
      stalledSinceMs === undefined
        ? nowMs - this.#endedAtMs > LINGER_MS
        : nowMs - stalledSinceMs > this.#limits.writeStallMs
    if (isStuck) this.#socket.destroy()
  }

  #onData(chunk: Uint8Array): void {
    // What comes after the end is read away: to close on unread bytes would reset the connection,
    // and the client might lose its last answers.
    if (this.#phase === 'ending') return
    try {
      const ended = this.#inbox.push(chunk)
      const begun = this.#inbox.isAmidFrame
      this.#count()
      if (ended) this.#giveRoomBack()
      this.#askRoom()
      this.#deadlines.heard(this.#clock.monotonicMs(), { ended, begun })
    } catch (error) {
      if (!(error instanceof TqError)) throw error
      // After a broken frame nobody knows where the next one begins.
      this.#refuse(0, error)
      return
    }
    this.#goOn()
  }

  /** Hands over the requests at hand, as many as there is room for; then reads on, or waits. */
  #goOn(): void {
    // Answering a request may make room for the next one: that is seen below.
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#hasRoom) {
      const body = this.#inbox.next()
      if (body === undefined) break
      this.#take(body)
    }
    this.#isDelivering = false
    this.#count()
    this.#steer()
  }

  get #hasRoom(): boolean {
    const isTalking = this.#phase === 'greeting' || this.#phase === 'talking'
    return isTalking && this.#isWanted && this.#inFlight < this.#limits.inFlightMax && !this.isFull
  }

  get #inFlight(): number {
    return this.#conversation?.inFlight ?? 0
  }

  #take(body: Uint8Array): void {
    try {
      const { id, request } = decodeRequest(body)
      if (this.#conversation !== undefined)
        this.#door.receive(this.#conversation, id, request, body.length)
      else this.#greet(id, request)
    } catch (error) {
      if (!(error instanceof TqError)) throw error
      this.#refuse(error instanceof RequestError ? error.requestId : 0, error)
    }
  }

  #greet(id: number, request: Request): void {
    try {
      if (request.verb !== 'hello') {
        const text = `the first request of a connection is hello, not ${request.verb}`
        throw new TqError('UNAUTHENTICATED', text)
      }
      const { conversation, reply } = this.#door.greet(this, request)
      this.#phase = 'talking'
      this.#conversation = conversation
      conversation.input = this.#input
      this.#inbox.frameBytesMax = this.#limits.frameBytesMax
      conversation.begin(id, 'hello')
      conversation.reply(id, reply, 0)
    } catch (error) {
      throw error instanceof TqError ? new RequestError(id, error) : error
    }
  }

  /** Refuses what came; ends if nobody can tell whose it was, or who speaks. */
  #refuse(id: number, error: TqError): void {
    this.send(encodeRefusalFrame(id, error.code, error.message, error.details))
    if (id !== 0 && this.isGreeted) return
    this.#reason ??= error.message
    this.#end()
  }

  /** All frames of a turn leave together. */
  readonly #flush = (): void => {
    this.#isFlushing = false
    this.#outbox.flush()
    if (this.#outbox.bytes > outputBytesLimit(this.#limits.outputBytesMax)) {
      this.destroy('the client reads its answers too slowly')
      return
    }
    // Answers make room for requests.
    this.#goOn()
    this.#endIfDrained()
  }

  /** Tells the budget what is held here. */
  #count(): void {
    const { bytes } = this.#inbox
    const change = bytes - this.#heldBytes
    this.#heldBytes = bytes
    if (change > 0) this.#input.hold(change)
    else if (change < 0) this.#input.free(-change)
  }

  /** Asks the budget for room for what is coming next of a frame. */
  #askRoom(): void {
    const { comingBytes, arrivedBytes } = this.#inbox
    this.#room ??= this.#input.roomFor(comingBytes, this.#steer)
    this.#room?.arrived(arrivedBytes)
  }

  #giveRoomBack(): void {
    this.#room?.giveBack()
    this.#room = undefined
  }

  /** Reads from the socket only while there is room for requests and for their answers. */
  readonly #steer = (): void => {
    if (this.#socket.destroyed) return
    const hasInputRoom = this.#room?.isGranted ?? !this.#input.isFull
    const mayListen = hasInputRoom && this.#inbox.isEmpty && this.#isWanted && !this.isFull
    const mayRead = mayListen || this.#phase === 'ending'
    if (mayRead !== this.#socket.isPaused()) return
    if (mayRead) {
      this.#deadlines.resumed(this.#clock.monotonicMs())
      this.#socket.resume()
    } else {
      this.#socket.pause()
    }
  }

  #endIfDrained(): void {
    if (this.#isDraining && this.#inFlight === 0 && this.#inbox.isEmpty) this.#end()
  }

  /** Nothing more is said; what is queued is written, and what comes is read away. */
  #end(): void {
    if (this.#phase === 'ending' || this.#phase === 'closed') return
    this.#hangUp()
    this.#outbox.end()
    this.#steer()
  }

  #hangUp(): void {
    if (this.#phase === 'ending' || this.#phase === 'closed') return
    this.#phase = 'ending'
    this.#endedAtMs = this.#clock.monotonicMs()
    this.#inbox.clear()
    this.#count()
    this.#giveRoomBack()
    this.#input.leave(this.#steer)
    if (this.#conversation !== undefined) this.#door.hangUp(this.#conversation)
  }

  /**
   * A client that sends no more is gone: a process that died looks the same, and must get no
   * leases. What it would still want to hear, it asks for again.
   */
  #onEnd(): void {
    this.#reason ??= 'closed by the client'
    this.#end()
  }

  #onClose(): void {
    this.#reason ??= 'closed'
    this.#hangUp()
    this.#phase = 'closed'
    this.#door.closed(this, this.#reason)
  }
}

/** Twice as much as is meant to wait, but room for any one answer in any case. */
function outputBytesLimit(outputBytesMax: number): number {
  return outputBytesMax + Math.max(outputBytesMax, limits.FRAME_BYTES_MAX)
}
