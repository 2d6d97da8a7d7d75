// A client made of nothing but a socket and the codec: each byte it sends is the test's own choice.

import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import {
  decodeServerMessage,
  encodeRequestFrame,
  FrameDecoder,
  limits,
  type ReplyOf,
  type RequestOf,
  type ServerMessage,
  TqError,
  type Verb,
} from '@tq/core'
import { onTestFinished } from 'vitest'

type Hello = Partial<Omit<RequestOf<'hello'>, 'verb'>>

export class RawClient {
  /** Everything that came, in order. */
  readonly messages: ServerMessage[] = []
  bytesReceived = 0
  /** Resolves when nothing follows: the broker has said so, or the socket is gone. */
  readonly ended: Promise<unknown>
  /** Resolves when both sides have ended, with the error that did it, if there was one. */
  readonly closed: Promise<NodeJS.ErrnoException | undefined>
  readonly socket: Socket
  readonly #decoder = new FrameDecoder(2 * limits.FRAME_BYTES_MAX)
  #taken = 0
  #isClosed = false
  #waiting: (() => void)[] = []

  /** Connected, and gone when the test ends. */
  static async connect(address: { host: string; port: number }): Promise<RawClient> {
    const socket = createConnection({ ...address, noDelay: true, allowHalfOpen: true })
    const client = new RawClient(socket)
    onTestFinished(() => client.destroy())
    const connected = new Promise((resolve) => socket.once('connect', resolve))
    await Promise.race([connected, client.closed])
    return client
  }

  private constructor(socket: Socket) {
    let failure: NodeJS.ErrnoException | undefined
    this.socket = socket
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true
        this.#wakeAll()
        resolve(failure)
      })
    })
    this.ended = Promise.race([once(socket, 'end').catch(() => this.closed), this.closed])
    socket.on('error', (error) => (failure = error))
    socket.on('data', (chunk: Buffer) => this.#hear(chunk))
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Announces a body of so many bytes. */
  writeHeader(bodyBytes: number): void {
    const header = Buffer.alloc(4)
    header.writeUInt32BE(bodyBytes)
    this.write(header)
  }

  /** A frame around any bytes. */
  writeBody(body: Uint8Array): void {
    this.writeHeader(body.length)
    this.write(body)
  }

  send<V extends Verb>(id: number, request: RequestOf<V>): void {
    this.write(encodeRequestFrame(id, request))
  }

  /** Many requests in one write, so that they come in as few chunks as possible. */
  sendAll<V extends Verb>(
    requests: readonly (readonly [id: number, request: RequestOf<V>])[],
  ): void {
    this.write(Buffer.concat(requests.map(([id, request]) => encodeRequestFrame(id, request))))
  }

  /** Greets under id 1. @throws {TqError} if that is refused. */
  async hello(hello: Hello = {}): Promise<ReplyOf<'hello'>> {
    this.send(1, helloRequest(hello))
    return await this.answer<'hello'>(1)
  }

  /** Sends a request and takes its answer. @throws {TqError} if it is refused. */
  async ask<V extends Verb>(id: number, request: RequestOf<V>): Promise<ReplyOf<V>> {
    this.send(id, request)
    return await this.answer<V>(id)
  }

  /** The answer to a request, whatever else comes. @throws {TqError} if it is refused. */
  async answer<V extends Verb>(id: number): Promise<ReplyOf<V>> {
    for (;;) {
      const message = this.messages.find((one) => one.kind !== 'push' && one.id === id)
      if (message?.kind === 'reply') return message.result as ReplyOf<V>
      if (message?.kind === 'refusal') throw message.error
      await this.#more()
    }
  }

  /** The code of the refusal of a request. */
  async refusal(id: number): Promise<TqError['code']> {
    const refusal = await this.answer(id).then(
      () => new Error(`request ${id} was not refused`),
      (error: unknown) => error,
    )
    if (refusal instanceof TqError) return refusal.code
    throw refusal
  }

  /** The oldest message that nobody has taken this way. */
  async next(): Promise<ServerMessage> {
    for (;;) {
      const message = this.messages[this.#taken]
      if (message !== undefined) {
        this.#taken += 1
        return message
      }
      await this.#more()
    }
  }

  /** Resolves when so many messages have come in all. */
  async received(count: number): Promise<readonly ServerMessage[]> {
    while (this.messages.length < count) await this.#more()
    return this.messages
  }

  /** Reads no more, until told to. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** Sends nothing more, but listens. */
  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  #hear(chunk: Buffer): void {
    this.bytesReceived += chunk.length
    for (const body of this.#decoder.push(chunk)) this.messages.push(decodeServerMessage(body))
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async #more(): Promise<void> {
    if (this.#isClosed) throw new Error('the connection is gone')
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

export function helloRequest(hello: Hello = {}): RequestOf<'hello'> {
  return { verb: 'hello', protocol: 1, client: { name: 'raw', version: '1' }, ...hello }
}
