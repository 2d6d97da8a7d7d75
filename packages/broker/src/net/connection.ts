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
  /** Answers that wait for the client to read them; reading stops at this, the socket ends at twice. */
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
  #out: Uint8Array[] = []
  #isFlushing = false
  #isReading = true
  #isStalled = false
  #isEnded = false
  #reason = 'closed by the client'
  readonly #openedAtMs: number
  #heardAtMs: number
  #frameSinceMs = 0
  #drainedAtMs: number

  constructor(socket: Socket, door: Door, options: ConnectionLimits & { readonly nowMs: number }) {
    this.#socket = socket
    this.remoteAddress = socket.remoteAddress ?? ''
    this.#door = door
    this.#limits = options
    this.#openedAtMs = options.nowMs
    this.#heardAtMs = options.nowMs
    this.#drainedAtMs = options.nowMs
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('drain', () => this.#onDrain())
    // A client that sends no more is gone: what it would still want to hear, it asks for again.
    socket.on('end', () => this.#end())
    socket.on('error', (error) => (this.#reason = error.message))
    socket.on('close', () => this.#onClose())
  }

  get isGreeted(): boolean {
    return this.#conversation !== undefined
  }

  send(frame: Uint8Array): void {
    if (this.#socket.destroyed) return
    this.#out.push(frame)
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(() => this.#flush())
  }

  setReading(isReading: boolean): void {
    this.#isReading = isReading
    if (isReading) this.#deliver()
    this.#steer()
  }

  /** Looks at the clocks of this connection; called about once a second. */
  sweep(nowMs: number): void {
    const { helloMs, frameMs, idleMs, writeStallMs } = this.#limits
    const isWaiting = (this.#conversation?.inFlight ?? 0) > 0 || this.#socket.isPaused()
    if (!this.isGreeted && nowMs - this.#openedAtMs > helloMs) {
      this.destroy('no hello came in time')
    } else if (this.#decoder.pendingBytes > 0 && nowMs - this.#frameSinceMs > frameMs) {
      if (!this.#socket.isPaused()) this.destroy('a frame was not completed in time')
    } else if (!isWaiting && nowMs - this.#heardAtMs > idleMs) {
      this.destroy('nothing was heard for too long')
    } else if (this.#socket.writableLength === 0) {
      this.#drainedAtMs = nowMs
    } else if (nowMs - this.#drainedAtMs > writeStallMs) {
      this.destroy('the client did not read its answers')
    }
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

  #onData(chunk: Uint8Array): void {
    this.#heardAtMs = performance.now()
    const hadPending = this.#decoder.pendingBytes > 0
    try {
      this.#inbox.push(...this.#decoder.push(chunk))
    } catch (error) {
      this.#refuseStream(error)
      return
    }
    if (!hadPending && this.#decoder.pendingBytes > 0) this.#frameSinceMs = this.#heardAtMs
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

  /** All frames of a turn leave in one write. */
  #flush(): void {
    this.#isFlushing = false
    if (this.#socket.destroyed || this.#out.length === 0) return
    const frames = this.#out
    this.#out = []
    const bytes = frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames)
    if (!this.#socket.write(bytes)) this.#isStalled = true
    if (this.#socket.writableLength > 2 * this.#limits.outputBytesMax) {
      this.destroy('the client reads its answers too slowly')
      return
    }
    // Answers make room for requests that were held back.
    if (this.#inbox.length > 0) this.#deliver()
    this.#steer()
  }

  #onDrain(): void {
    this.#isStalled = false
    this.#drainedAtMs = performance.now()
    this.#steer()
  }

  /** Reads from the socket only while there is room for requests and for their answers. */
  #steer(): void {
    const isChoked = this.#isStalled && this.#socket.writableLength > this.#limits.outputBytesMax
    const mayRead = this.#isReading && this.#inbox.length === 0 && !isChoked && !this.#isEnded
    if (mayRead && this.#socket.isPaused()) this.#socket.resume()
    else if (!mayRead && !this.#socket.isPaused()) this.#socket.pause()
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
