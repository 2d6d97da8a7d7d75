// A socket that sends whatever it is told, and holds every answer against the protocol.

import { createConnection, type Socket } from 'node:net'
import {
  decodeServerMessage,
  encodeRequestFrame,
  FrameDecoder,
  limits,
  type Request,
  type ServerMessage,
} from '@tq/core'

export type Answer = Exclude<ServerMessage, { kind: 'push' }>

export class FuzzClient {
  readonly session: Uint8Array
  readonly #socket: Socket
  readonly #decoder = new FrameDecoder(limits.FRAME_BYTES_MAX)
  #answers: Answer[] = []
  #isEnded = false
  /** What the broker sent that no client can read; undefined if nothing. */
  malformed: string | undefined
  pushCount = 0

  static async connect(
    address: { readonly host: string; readonly port: number },
    session: Uint8Array,
  ): Promise<FuzzClient> {
    const socket = createConnection({ ...address, noDelay: true, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new FuzzClient(socket, session)
  }

  private constructor(socket: Socket, session: Uint8Array) {
    this.#socket = socket
    this.session = session
    socket.on('data', (chunk) => this.#hear(chunk))
    socket.on('end', () => (this.#isEnded = true))
    socket.on('close', () => (this.#isEnded = true))
    socket.on('error', () => undefined)
  }

  /** True once the broker has said that nothing follows. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  send(id: number, request: Request): void {
    this.write(encodeRequestFrame(id, request))
  }

  /** Greets under an id. */
  greet(id: number): void {
    const client = { name: 'fuzz', version: '1' }
    this.send(id, { verb: 'hello', protocol: 1, client, session: this.session })
  }

  /** Answers that nobody has taken, under this id. */
  has(id: number): boolean {
    return this.#answers.some((answer) => answer.id === id)
  }

  /** All answers that nobody has taken. */
  take(): readonly Answer[] {
    const taken = this.#answers
    this.#answers = []
    return taken
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #hear(chunk: Uint8Array): void {
    try {
      for (const body of this.#decoder.push(chunk)) {
        const message = decodeServerMessage(body)
        if (message.kind === 'push') this.pushCount += 1
        else this.#answers.push(message)
      }
    } catch (error) {
      this.malformed ??= error instanceof Error ? error.message : String(error)
      this.#socket.destroy()
    }
  }
}
