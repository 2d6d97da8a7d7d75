// One socket: bytes in, requests in order, answers out, pressure in both directions.

import type { Socket } from 'node:net'
import {
  decodeRequest,
  encodeRefusalFrame,
  FrameDecoder,
  limits,
  type HelloRequest,
  type ReplyOf,
  type Request,
  RequestError,
  TqError,
} from '@tq/core'
import type { Conversation, Sink } from '../pipeline/conversation.ts'

export interface ConnectionLimits {
  readonly frameBytesMax: number
  readonly inFlightMax: number
  /**
   * Answers that wait for the client to take them. At this its requests are not read; at twice this
   * it is disconnected, unless it is taking them.
   */
  readonly outputBytesMax: number
  readonly helloMs: number
  readonly frameMs: number
  readonly idleMs: number
  readonly writeStallMs: number
}

/** What a connection needs of the broker. */
export interface Door {
  /** Answers a hello. @throws {TqError} if the greeting is refused. */
  greet(
    connection: Connection,
    hello: HelloRequest,
  ): { readonly conversation: Conversation; readonly reply: ReplyOf<'hello'> }
  receive(conversation: Conversation, id: number, request: Request): void
  close(connection: Connection, conversation: Conversation | undefined, reason: string): void
}

export class Connection implements Sink {
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #door: Door
  readonly #limits: ConnectionLimits
  readonly #decoder = new FrameDecoder(limits.FRAME_BYTES_MAX_BEFORE_HELLO)
  #conversation: Conversation | undefined
  /** Bodies that were decoded while there was no room for their requests. */
  #inbox: Uint8Array[] = []
  /** Frames that the socket has not got yet, and their bytes with those that it has not sent. */
  #out: Uint8Array[] = []
  #outBytes = 0
  /** Bytes that the socket is sending; the next ones follow when they have left. */
  #writingBytes = 0
  #isFlushDue = false
  #isReading = true
  #isEnded = false
  #reason = 'closed by the client'
  readonly #openedAtMs: number
  #heardAtMs: number
  #frameSinceMs = 0
  /** When the client last took answers, or had none to take. */
  #tookAtMs: number

  constructor(socket: Socket, door: Door, options: ConnectionLimits & { readonly nowMs: number }) {
    this.#socket = socket
    this.remoteAddress = socket.remoteAddress ?? ''
    this.#door = door
    this.#limits = options
    this.#openedAtMs = options.nowMs
    this.#heardAtMs = options.nowMs
    this.#tookAtMs = options.nowMs
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#onData(chunk))
    // A client that sends no more is gone: what it would still want to hear, it asks for again.
    socket.on('end', () => this.#onEnd())
    socket.on('error', (error) => (this.#reason = error.message))
    socket.on('close', () => this.#onClose())
  }

  get isGreeted(): boolean {
    return this.#conversation !== undefined
  }

  send(frame: Uint8Array): void {
    if (this.#socket.destroyed || this.#isEnded) return
    this.#out.push(frame)
    this.#outBytes += frame.length
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    queueMicrotask(() => this.#flush())
  }

  setReading(isReading: boolean): void {
    this.#isReading = isReading
    if (isReading) this.#deliver()
    this.#steer()
  }

  /** Looks at the clocks of this connection; called about once a second. */
  sweep(nowMs: number): void {
    const reason = this.#overdue(nowMs)
    if (reason !== undefined) this.destroy(reason)
  }

  /** Sends what is queued and ends. */
  end(reason: string): void {
    this.#reason = reason
    this.#end()
  }

  destroy(reason: string): void {
    this.#reason = reason
    this.#socket.destroy()
  }

  #overdue(nowMs: number): string | undefined {
    const { helloMs, frameMs, idleMs, writeStallMs, outputBytesMax } = this.#limits
    if (!this.isGreeted && nowMs - this.#openedAtMs > helloMs) return 'no hello came in time'
    const stalledMs = this.#outBytes === 0 ? 0 : nowMs - this.#tookAtMs
    if (stalledMs > writeStallMs) return 'the client did not read its answers'
    if (stalledMs > HOARD_MS && this.#outBytes > 2 * outputBytesMax) {
      return 'the client asked for more than it reads'
    }
    // What has not been read from a paused socket is not late.
    if (this.#socket.isPaused()) return undefined
    if (this.#decoder.pendingBytes > 0 && nowMs - this.#frameSinceMs > frameMs) {
      return 'a frame was not completed in time'
    }
    const isWaiting = (this.#conversation?.inFlight ?? 0) > 0 || this.#outBytes > 0
    return !isWaiting && nowMs - this.#heardAtMs > idleMs
      ? 'nothing was heard for too long'
      : undefined
  }

  #onData(chunk: Uint8Array): void {
    this.#heardAtMs = performance.now()
    const hadPending = this.#decoder.pendingBytes > 0
    try {
      const bodies = this.#decoder.push(chunk)
      // The clock runs for one frame: a busy client may never pause between two.
      if (!hadPending || bodies.length > 0) this.#frameSinceMs = this.#heardAtMs
      for (const body of bodies) this.#inbox.push(body)
    } catch (error) {
      this.#refuseStream(error)
      return
    }
    this.#deliver()
    this.#steer()
  }

  /** Hands over the requests at hand, as many as there is room for. */
  #deliver(): void {
    let taken = 0
    for (const body of this.#inbox) {
      if (!this.#isReading || this.#isFull || this.#isEnded) break
      taken += 1
      this.#take(body)
    }
    if (taken > 0) this.#inbox = this.#inbox.slice(taken)
  }

  get #isFull(): boolean {
    return (this.#conversation?.inFlight ?? 0) >= this.#limits.inFlightMax
  }

  #take(body: Uint8Array): void {
    try {
      const { id, request } = decodeRequest(body)
      if (this.#conversation !== undefined) this.#door.receive(this.#conversation, id, request)
      else this.#greet(id, request)
    } catch (error) {
      if (!(error instanceof TqError)) throw error
      const id = error instanceof RequestError ? error.requestId : 0
      this.send(encodeRefusalFrame(id, error.code, error.message, error.details))
      if (id === 0 || this.#conversation === undefined) this.end(error.message)
    }
  }

  #greet(id: number, request: Request): void {
    if (request.verb !== 'hello') {
      const error = new TqError('UNAUTHENTICATED', `the first request is hello, not ${request.verb}`)
      throw new RequestError(id, error)
    }
    try {
      const { conversation, reply } = this.#door.greet(this, request)
      this.#conversation = conversation
      this.#decoder.bytesMax = this.#limits.frameBytesMax
      conversation.begin(id, 'hello')
      conversation.reply(id, reply, 0)
    } catch (error) {
      throw error instanceof TqError ? new RequestError(id, error) : error
    }
  }

  /** After a broken frame nobody knows where the next one begins. */
  #refuseStream(error: unknown): void {
    if (!(error instanceof TqError)) throw error
    this.send(encodeRefusalFrame(0, error.code, error.message, error.details))
    this.end(error.message)
  }

  /** Frames of a turn leave in one write, or in several one after the other if they are many. */
  #flush(): void {
    this.#isFlushDue = false
    if (this.#socket.destroyed) return
    this.#writeNext()
    // Answers make room for requests that were held back.
    if (this.#inbox.length > 0) this.#deliver()
    this.#steer()
  }

  #writeNext(): void {
    if (this.#writingBytes > 0 || this.#out.length === 0) return
    // Whoever has taken everything so far begins to be late only now.
    if (this.#outBytes === sumOf(this.#out)) this.#tookAtMs = performance.now()
    const frames = this.#takeOut()
    const bytes = frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames)
    this.#writingBytes = bytes.length
    this.#socket.write(bytes, this.#onWritten)
  }
  #end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#flush()
    this.#socket.end()
    this.#socket.destroySoon()
  }

  #onClose(): void {
    this.#isEnded = true
    this.#door.close(this, this.#conversation, this.#reason)
  }
}
