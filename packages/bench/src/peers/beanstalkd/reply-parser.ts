// beanstalkd's replies out of a stream of bytes that may be cut anywhere.

export interface Reply {
  /** The reply's first word, such as `INSERTED`. */
  readonly word: string
  /** What follows it on the line, such as a job's id. */
  readonly words: readonly string[]
  /** Of the replies that announce one; a view into the bytes that came. */
  readonly body: Uint8Array | undefined
}

/** Replies whose line ends with the length of a body that follows it. */
const WITH_BODY: ReadonlySet<string> = new Set(['RESERVED', 'FOUND', 'OK'])
/** The protocol's longest line, in bytes: a job's id and a tube's name fit many times. */
const LINE_BYTES_MAX = 1_024
const LINE_END = '\r\n'
const NOTHING = Buffer.alloc(0)

export class ReplyParser {
  readonly #onReply: (reply: Reply) => void
  #held: Buffer = NOTHING
  /** So many bytes are needed before it is worth looking again. */
  #needed = 0

  constructor(onReply: (reply: Reply) => void) {
    this.#onReply = onReply
  }

  /** Throws if the bytes are not beanstalkd's protocol; the connection is of no use then. */
  push(chunk: Buffer): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    let at = 0
    if (bytes.length >= this.#needed) {
      this.#needed = 0
      for (let next = this.#parse(bytes, at); next > at; next = this.#parse(bytes, at)) at = next
    }
    this.#held = at === bytes.length ? NOTHING : bytes.subarray(at)
  }

  /** Gives out the reply at `at`, and tells where the next begins: at `at` if it is not whole. */
  #parse(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(LINE_END, at, 'latin1')
    const lineBytes = (lineEnd === -1 ? bytes.length : lineEnd) - at
    if (lineBytes > LINE_BYTES_MAX) {
      throw new Error(`a reply of beanstalkd has a line of more than ${LINE_BYTES_MAX} bytes`)
    }
    if (lineEnd === -1) return at
    const [word = '', ...words] = bytes.toString('latin1', at, lineEnd).split(' ')
    const bodyAt = lineEnd + LINE_END.length
    if (!WITH_BODY.has(word)) {
      this.#onReply({ word, words, body: undefined })
      return bodyAt
    }
    const bodyEnd = bodyAt + bodyBytes(words)
    const next = bodyEnd + LINE_END.length
    if (next > bytes.length) {
      this.#needed = next - at
      return at
    }
    if (bytes.toString('latin1', bodyEnd, next) !== LINE_END) {
      throw new Error(`the body of a ${word} of beanstalkd does not end where it said`)
    }
    this.#onReply({ word, words, body: bytes.subarray(bodyAt, bodyEnd) })
    return next
  }
}

function bodyBytes(words: readonly string[]): number {
  const text = words.at(-1) ?? ''
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new Error(`a reply of beanstalkd announces a body of "${text}" bytes`)
}
