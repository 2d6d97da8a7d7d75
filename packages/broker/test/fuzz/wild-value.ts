// Values as trees that can be bent, and a writer that puts down whatever it is told, valid or not.

import { readMessage } from '../../../core/src/protocol/msgpack-reader.ts'

/** A value on the wire. Maps are pairs, since a bent one may have a key twice. */
export type Wild =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Wild[]
  | { readonly pairs: readonly (readonly [key: Wild, value: Wild])[] }
  /** Bytes that stand where a value should. */
  | { readonly raw: Uint8Array }

/** The tree of a message that is well formed. */
export function wildOf(body: Uint8Array): Wild {
  return toWild(readMessage(body))
}

export function encodeWild(value: Wild): Buffer {
  const parts: Uint8Array[] = []
  write(parts, value)
  return Buffer.concat(parts)
}

/** A frame around a body. */
export function frameOf(body: Uint8Array): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(body.length)
  return Buffer.concat([header, body])
}

function toWild(value: unknown): Wild {
  if (Array.isArray(value)) return value.map((item) => toWild(item))
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) {
    return value as Wild
  }
  return { pairs: Object.entries(value).map(([key, item]) => [key, toWild(item)] as const) }
}

function write(parts: Uint8Array[], value: Wild): void {
  if (value === null) parts.push(Uint8Array.of(0xc0))
  else if (typeof value === 'boolean') parts.push(Uint8Array.of(value ? 0xc3 : 0xc2))
  else if (typeof value === 'number') parts.push(numberBytes(value))
  else if (typeof value === 'string') writeString(parts, value)
  else if (value instanceof Uint8Array) parts.push(head(0xc6, value.length), value)
  else if ('raw' in value) parts.push(value.raw)
  else if ('pairs' in value) {
    parts.push(head(0xdf, value.pairs.length))
    for (const [key, item] of value.pairs) {
      write(parts, key)
      write(parts, item)
    }
  } else {
    parts.push(head(0xdd, value.length))
    for (const item of value) write(parts, item)
  }
}

function numberBytes(value: number): Uint8Array {
  if (Number.isInteger(value) && value >= 0 && value < 0x80 && !Object.is(value, -0)) {
    return Uint8Array.of(value)
  }
  const bytes = Buffer.alloc(9, 0xcb)
  bytes.writeDoubleBE(value, 1)
  return bytes
}

/** Half of a surrogate pair is written as the three bytes that it would have, which is no UTF-8. */
function writeString(parts: Uint8Array[], text: string): void {
  const units: Uint8Array[] = []
  for (const character of text) {
    const code = character.codePointAt(0) as number
    const isLone = code >= 0xd800 && code <= 0xdfff
    units.push(
      isLone
        ? Uint8Array.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
        : Buffer.from(character),
    )
  }
  const bytes = Buffer.concat(units)
  parts.push(head(0xdb, bytes.length), bytes)
}

function head(token: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(5)
  bytes[0] = token
  bytes.writeUInt32BE(length, 1)
  return bytes
}
