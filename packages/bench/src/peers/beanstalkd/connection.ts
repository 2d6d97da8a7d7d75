// A connection to beanstalkd that pipelines: many commands on the way, answered in their order.
//
// A client of our own, because no well-kept Node library for beanstalkd sends a command before the
// last one is answered, and a comparison over such a library would measure the network's delay.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Reply, ReplyParser } from './reply-parser.ts'

export type OnReply = (reply: Reply) => void

const LINE_END = '\r\n'
const LOST = 'the connection to beanstalkd is lost'

export class Connection {
  readonly #socket: Socket
  readonly #onError: (error: Error) => void
  /** Who waits for a reply, oldest first; those before `#answered` have theirs. */
  #waiting: OnReply[] = []
  #answered = 0
  #outgoing: (string | Uint8Array)[] = []

  /** @param onError The connection is lost, or out of step; once. */
  static async open(port: number, onError: (error: Error) => void): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket, onError)
  }

  private constructor(socket: Socket, onError: (error: Error) => void) {
    this.#socket = socket
    this.#onError = onError
    const parser = new ReplyParser((reply) => this.#answer(reply))
    socket.on('data', (chunk: Buffer) => {
      try {
        parser.push(chunk)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    socket.on('error', () => {}) // told by `close`, which always follows
    socket.on('close', () => this.#lose())
  }

  /** Sends a command at the end of this turn, together with all others of the turn. */
  send(line: string, body: Uint8Array | undefined, onReply: OnReply): void {
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush())
    this.#outgoing.push(line + LINE_END)
    if (body !== undefined) this.#outgoing.push(body, LINE_END)
    this.#waiting.push(onReply)
  }

  /** Like {@link send}, for one command among few. */
  ask(line: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#socket.once('close', () => reject(new Error(`no answer to "${line}": ${LOST}`)))
      this.send(line, undefined, resolve)
    })
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy()
  }

  #flush(): void {
    const parts = this.#outgoing.map((part) => {
      return typeof part === 'string' ? Buffer.from(part, 'latin1') : part
    })
    this.#outgoing = []
    this.#socket.write(Buffer.concat(parts))
  }

  #answer(reply: Reply): void {
    const onReply = this.#waiting[this.#answered]
    if (onReply === undefined) throw new Error(`beanstalkd sent ${reply.word} without a question`)
    this.#answered += 1
    // Now and then, instead of moving all of them with each reply.
    if (this.#answered === this.#waiting.length || this.#answered >= ANSWERED_KEPT_MAX) {
      this.#waiting = this.#waiting.slice(this.#answered)
      this.#answered = 0
    }
    onReply(reply)
  }

  #lose(): void {
    const { errored } = this.#socket
    this.#onError(new Error(LOST, { cause: errored }))
  }
}

/** Entries of the list of the waiting that may be done with before they are dropped. */
const ANSWERED_KEPT_MAX = 4_096
