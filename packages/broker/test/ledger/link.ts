// A line over TCP, without the SDK: nothing is sent again behind the ledger's back.

import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import {
  decodeServerMessage,
  encodeRequestFrame,
  FrameDecoder,
  limits,
  type ReplyOf,
  type Request,
  type RequestOf,
  type Verb,
} from '@tq/core'
import type { Answer, Line } from './line.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export class Link implements Line {
  readonly session: Uint8Array
  readonly #socket: Socket
  readonly #decoder = new FrameDecoder(2 * limits.FRAME_BYTES_MAX)
  readonly #waiting = new Map<number, (answer: Answer<Verb>) => void>()
  #lastId = 0
  #isGone = false

  /** @throws if there is nobody, or if hello is refused or not answered. */
  static async connect(address: Address, session: Uint8Array): Promise<Link> {
    const socket = createConnection({ ...address, noDelay: true })
    await once(socket, 'connect')
    const link = new Link(socket, session)
    const client = { name: 'ledger', version: '1' }
    const answer = await link.ask<'hello'>({ verb: 'hello', protocol: 1, client, session })
    if (answer.kind === 'reply') return link
    link.close()
    throw answer.kind === 'refusal' ? answer.error : new Error('hello was not answered')
  }

  private constructor(socket: Socket, session: Uint8Array) {
    this.#socket = socket
    this.session = session
    socket.on('data', (chunk) => this.#hear(chunk))
    // What failed does not matter: `close` follows.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#end())
  }

  get isGone(): boolean {
    return this.#isGone
  }

  ask<V extends Verb>(request: RequestOf<V>): Promise<Answer<V>> {
    if (this.#isGone) return Promise.resolve({ kind: 'gone' })
    this.#lastId += 1
    const id = this.#lastId
    const answer = new Promise<Answer<Verb>>((resolve) => this.#waiting.set(id, resolve))
    this.#socket.write(encodeRequestFrame(id, request as Request))
    return answer as Promise<Answer<V>>
  }

  close(): void {
    this.#socket.destroy()
  }

  #hear(chunk: Uint8Array): void {
    for (const body of this.#decoder.push(chunk)) {
      const message = decodeServerMessage(body)
      if (message.kind === 'push') continue
      const answered = this.#waiting.get(message.id)
      this.#waiting.delete(message.id)
      if (message.kind === 'refusal') answered?.({ kind: 'refusal', error: message.error })
      else answered?.({ kind: 'reply', result: message.result as ReplyOf<Verb>, lsn: message.lsn })
    }
  }

  #end(): void {
    this.#isGone = true
    for (const answered of this.#waiting.values()) answered({ kind: 'gone' })
    this.#waiting.clear()
  }
}
