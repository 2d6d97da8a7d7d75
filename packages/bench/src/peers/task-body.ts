// The payload of a task in a comparison: its number, and padding up to the length asked for.

/** As a value, for peers that encode payloads themselves; as JSON it has exactly the same bytes. */
export interface TaskBody {
  /** Decimal, with zeroes in front, so that it stands at the same place in every payload. */
  readonly number: string
  readonly padding: string
}

const DIGITS = 10
const HEAD = '{"number":"'
const MIDDLE = '","padding":"'
const TAIL = '"}'
/** What a payload has beside its padding, in bytes: no payload may be shorter. */
export const BODY_BYTES_MIN = HEAD.length + DIGITS + MIDDLE.length + TAIL.length
/** Of the text that paddings are cut from: more than compressors look back. */
const POOL_BYTES = 65_536

export class BodyMaker {
  readonly #paddingBytes: number
  readonly #pool: string

  constructor(payloadBytes: number) {
    this.#paddingBytes = payloadBytes - BODY_BYTES_MIN
    this.#pool = noise(POOL_BYTES + this.#paddingBytes)
  }

  make(number: number): TaskBody {
    // A step prime to the pool's size: neighbours have nothing in common.
    const at = (number * 40_503) % POOL_BYTES
    return {
      number: String(number).padStart(DIGITS, '0'),
      padding: this.#pool.slice(at, at + this.#paddingBytes),
    }
  }
}

export function bytesOfBody(body: TaskBody): Buffer {
  return Buffer.from(HEAD + body.number + MIDDLE + body.padding + TAIL, 'latin1')
}

/** The number in a payload; NaN if these bytes are none. */
export function numberInBytes(payload: Uint8Array): number {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  return Number(bytes.toString('latin1', HEAD.length, HEAD.length + DIGITS))
}

/** Text of 64 letters in an order without a pattern: it shrinks by a quarter at most. */
function noise(length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  let state = 0x9e3779b9
  let text = ''
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    text += letters[state >>> 26]
  }
  return text
}
