// The guard: one strict pass over the bytes of a message, before anything is built from them.

import { isUtf8 } from 'node:buffer'
import { TqError, type ErrorCode } from '../error.ts'
import {
  MSGPACK_ARRAY_MAX,
  MSGPACK_DEPTH_MAX,
  MSGPACK_KEY_BYTES_MAX,
  MSGPACK_MAP_MAX,
  MSGPACK_STRING_BYTES_MAX,
} from '../limits.ts'
import { MapKeys } from './map-keys.ts'

/** What a first byte announces. */
const FIXED = 0
const STR = 1
const BIN = 2
const ARRAY = 3
const MAP = 4
const FLOAT = 5
const INT64 = 6
const EXT = 7
const RESERVED = 8

/** By first byte: its kind, the bytes of the number or length behind it, a length within it. */
const KIND = new Uint8Array(256)
const TAIL_BYTES = new Uint8Array(256)
const INLINE_LENGTH = new Uint8Array(256)
describeFirstBytes()

/** The one extension that is allowed, and its three sizes. */
const TIMESTAMP = 0xff
const NANOSECONDS_MAX = 999_999_999
/** From so many bytes on the native check for UTF-8 is cheaper than a loop. */
const NATIVE_UTF8_BYTES_MIN = 48

/** The containers that are open: values still to come, and whether it is a map (1) or not (0). */
const LEFT = new Int32Array(MSGPACK_DEPTH_MAX + 1)
const IS_MAP = new Uint8Array(MSGPACK_DEPTH_MAX + 1)
const KEYS = new MapKeys()

/**
 * Refuses a message that is not exactly one well-formed value of the MessagePack subset that
 * docs/protocol.md describes: cut off or with bytes to spare, too deep, too many or too large
 * parts, keys that are not short unique strings, numbers that no double holds, extension types.
 * @param nodesMax Most values in the message; each key of a map counts as one.
 * @throws {TqError} `TOO_LARGE` for what is over a limit, `BAD_REQUEST` for all else.
 */
export function guardMessage(bytes: Uint8Array, nodesMax: number): void {
  let at = 0
  let nodes = 0
  let depth = 0
  let left = 1
  let isMap = 0
  KEYS.reset()
  for (;;) {
    while (left === 0) {
      if (isMap === 1) KEYS.close()
      if (depth === 0) return requireEnd(bytes, at)
      depth -= 1
      left = LEFT[depth] as number
      isMap = IS_MAP[depth] as number
    }
    left -= 1
    if (isMap === 1) {
      at = guardKey(bytes, at)
      nodes += 1
    }
    nodes += 1
    if (nodes > nodesMax) refuse('TOO_LARGE', `a message may hold ${nodesMax} values`, at)
    const token = at < bytes.length ? (bytes[at] as number) : refuseCutOff(bytes)
    const kind = KIND[token] as number
    const tail = at + 1 + (TAIL_BYTES[token] as number)
    if (tail > bytes.length) refuseCutOff(bytes)
    if (kind === FIXED) {
      at = tail
    } else if (kind === STR) {
      at = guardString(bytes, tail, tail + guardedLength(bytes, at, MSGPACK_STRING_BYTES_MAX))
    } else if (kind === BIN) {
      at = tail + lengthAt(bytes, at)
      if (at > bytes.length) refuseCutOff(bytes)
    } else if (kind === ARRAY || kind === MAP) {
      if (depth === MSGPACK_DEPTH_MAX) {
        refuse('TOO_LARGE', `a message may be ${MSGPACK_DEPTH_MAX} levels deep`, at)
      }
      LEFT[depth] = left
      IS_MAP[depth] = isMap
      depth += 1
      isMap = kind === MAP ? 1 : 0
      left = guardedLength(bytes, at, isMap === 1 ? MSGPACK_MAP_MAX : MSGPACK_ARRAY_MAX)
      if (isMap === 1) KEYS.open(left)
      at = tail
    } else {
      at = guardRare(bytes, at, kind)
    }
  }
}

/** A key of a map: a str, short, of valid UTF-8, unlike those before it. Gives its end. */
function guardKey(bytes: Uint8Array, at: number): number {
  const token = at < bytes.length ? (bytes[at] as number) : refuseCutOff(bytes)
  if (KIND[token] !== STR) refuse('BAD_REQUEST', 'a key of a map must be a str', at)
  const start = at + 1 + (TAIL_BYTES[token] as number)
  if (start > bytes.length) refuseCutOff(bytes)
  const end = guardString(bytes, start, start + guardedLength(bytes, at, MSGPACK_KEY_BYTES_MAX))
  if (!KEYS.add(bytes, start, end)) {
    refuse('BAD_REQUEST', 'a map must not have the same key twice, nor the key __proto__', at)
  }
  return end
}

/** The bytes of a str: all there, and valid UTF-8. Gives its end. */
function guardString(bytes: Uint8Array, start: number, end: number): number {
  if (end > bytes.length) refuseCutOff(bytes)
  if (end - start < NATIVE_UTF8_BYTES_MIN) {
    let at = start
    while (at < end && (bytes[at] as number) < 0x80) at += 1
    if (at === end) return end
  }
  if (!isUtf8(bytes.subarray(start, end))) {
    refuse('BAD_REQUEST', 'a str must be valid UTF-8; bytes go into a bin', start)
  }
  return end
}

function guardRare(bytes: Uint8Array, at: number, kind: number): number {
  if (kind === FLOAT) return guardFloat(bytes, at)
  if (kind === INT64) return guardInt64(bytes, at)
  if (kind === EXT) return guardExtension(bytes, at)
  return refuse('BAD_REQUEST', 'the byte 0xc1 means nothing in MessagePack', at)
}

/** NaN and the infinities have all bits of their exponent set. */
function guardFloat(bytes: Uint8Array, at: number): number {
  const isDouble = bytes[at] === 0xcb
  const exponent = (((bytes[at + 1] as number) & 0x7f) << 8) | (bytes[at + 2] as number)
  const mask = isDouble ? 0x7ff0 : 0x7f80
  if ((exponent & mask) === mask) refuse('BAD_REQUEST', 'a float must be a finite number', at)
  return at + (isDouble ? 9 : 5)
}

/** The integers from -2^53 to 2^53: every one of them is a double. */
function guardInt64(bytes: Uint8Array, at: number): number {
  const unsigned = uint32At(bytes, at + 1)
  const high = bytes[at] === 0xd3 ? unsigned | 0 : unsigned
  const low = uint32At(bytes, at + 5)
  const isSafe = (high < 0x200000 && high >= -0x200000) || (high === 0x200000 && low === 0)
  if (!isSafe) refuse('BAD_REQUEST', 'an integer must lie between -2^53 and 2^53', at)
  return at + 9
}

function guardExtension(bytes: Uint8Array, at: number): number {
  const token = bytes[at] as number
  const isFixed = token >= 0xd4
  const length = isFixed ? 1 << (token - 0xd4) : lengthAt(bytes, at)
  const typeAt = at + 1 + (TAIL_BYTES[token] as number)
  const end = typeAt + 1 + length
  if (end > bytes.length) refuseCutOff(bytes)
  if (bytes[typeAt] !== TIMESTAMP) {
    refuse('BAD_REQUEST', 'the timestamp (-1) is the only extension type that is allowed', at)
  }
  if (!isTimestamp(bytes, typeAt + 1, length)) {
    refuse('BAD_REQUEST', 'a timestamp must have 4, 8 or 12 bytes and less than 1 s of ns', at)
  }
  return end
}

function isTimestamp(bytes: Uint8Array, start: number, length: number): boolean {
  if (length === 4) return true
  if (length === 8) return uint32At(bytes, start) >>> 2 <= NANOSECONDS_MAX
  return length === 12 && uint32At(bytes, start) <= NANOSECONDS_MAX
}

function guardedLength(bytes: Uint8Array, at: number, lengthMax: number): number {
  const length = lengthAt(bytes, at)
  if (length > lengthMax) refuseLength(bytes, at, lengthMax)
  return length
}

/** The length that stands in or behind the first byte at `at`. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const token = bytes[at] as number
  const tailBytes = TAIL_BYTES[token] as number
  if (tailBytes === 0) return INLINE_LENGTH[token] as number
  if (tailBytes === 1) return bytes[at + 1] as number
  if (tailBytes === 2) return ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  return uint32At(bytes, at + 1)
}

function uint32At(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8)
  return (high | (bytes[at + 2] as number)) * 0x100 + (bytes[at + 3] as number)
}

function requireEnd(bytes: Uint8Array, at: number): void {
  if (at < bytes.length) {
    refuse(
      'BAD_REQUEST',
      `a message must end with its value: ${bytes.length - at} bytes follow`,
      at,
    )
  }
}

function refuseLength(bytes: Uint8Array, at: number, lengthMax: number): never {
  const kind = KIND[bytes[at] as number]
  const word = kind === ARRAY ? 'an array' : kind === MAP ? 'a map' : 'a str or key'
  const unit = kind === ARRAY ? 'values' : kind === MAP ? 'keys' : 'bytes'
  const text = `${word} may have ${lengthMax} ${unit} here, got ${lengthAt(bytes, at)}`
  return refuse('TOO_LARGE', text, at)
}

function refuseCutOff(bytes: Uint8Array): never {
  const text = 'the message ends within a value: its length does not fit its content'
  return refuse('BAD_REQUEST', text, bytes.length)
}

function refuse(code: ErrorCode, text: string, offset: number): never {
  throw new TqError(code, `${text} (at byte ${offset} of the message)`, { offset })
}

function describeFirstBytes(): void {
  const describe = (first: number, last: number, kind: number, tailBytes: number): void => {
    KIND.fill(kind, first, last + 1)
    TAIL_BYTES.fill(tailBytes, first, last + 1)
  }
  describe(0x00, 0x7f, FIXED, 0)
  describe(0x80, 0x8f, MAP, 0)
  describe(0x90, 0x9f, ARRAY, 0)
  describe(0xa0, 0xbf, STR, 0)
  for (let token = 0x80; token <= 0x9f; token += 1) INLINE_LENGTH[token] = token & 0x0f
  for (let token = 0xa0; token <= 0xbf; token += 1) INLINE_LENGTH[token] = token & 0x1f
  describe(0xc0, 0xc0, FIXED, 0)
  describe(0xc1, 0xc1, RESERVED, 0)
  describe(0xc2, 0xc3, FIXED, 0)
  describe(0xd4, 0xd8, EXT, 0)
  describe(0xe0, 0xff, FIXED, 0)
  for (const [first, kind] of [
    [0xc4, BIN],
    [0xc7, EXT],
    [0xcc, FIXED],
    [0xd0, FIXED],
    [0xd9, STR],
  ] as const) {
    for (let step = 0; step < 3; step += 1) describe(first + step, first + step, kind, 1 << step)
  }
  describe(0xca, 0xca, FLOAT, 4)
  describe(0xcb, 0xcb, FLOAT, 8)
  describe(0xcf, 0xcf, INT64, 8)
  describe(0xd3, 0xd3, INT64, 8)
  describe(0xdc, 0xdc, ARRAY, 2)
  describe(0xdd, 0xdd, ARRAY, 4)
  describe(0xde, 0xde, MAP, 2)
  describe(0xdf, 0xdf, MAP, 4)
}
