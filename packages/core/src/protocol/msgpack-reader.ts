// Values from the bytes of a message that the guard has passed. It checks nothing again.

/** Strings up to so many bytes are looked up before they are built: most come again and again. */
const CACHED_BYTES_MAX = 32
/** Places of the string cache; a power of two. A string replaces the one in its place. */
const CACHE_PLACES = 1024

const texts: string[] = Array.from({ length: CACHE_PLACES }, () => '')
const keys: string[] = Array.from({ length: CACHE_PLACES }, () => '')
const float32 = new Float32Array(1)
const float32Bytes = new Uint8Array(float32.buffer)
const float64 = new Float64Array(1)
const float64Bytes = new Uint8Array(float64.buffer)

/** The message that is being read and the place in it. One message is read at a time. */
let source: Uint8Array = new Uint8Array(0)
let buffer: ArrayBufferLike = source.buffer
let base = 0
let at = 0

/**
 * The value of a guarded message. Maps become plain objects, bins become views of the message,
 * timestamps become dates, integers of any width and floats become numbers.
 */
export function readMessage(bytes: Uint8Array): unknown {
  source = bytes
  // Asked for once: asking a typed array for its buffer costs as much as making a view of it.
  buffer = bytes.buffer
  base = bytes.byteOffset
  at = 0
  return readValue()
}

function readValue(): unknown {
  const token = source[at++] as number
  if (token < 0x80) return token
  if (token < 0x90) return readMap(token & 0x0f)
  if (token < 0xa0) return readArray(token & 0x0f)
  if (token < 0xc0) return readString(token & 0x1f)
  if (token >= 0xe0) return token - 0x100
  return readLong(token)
}

function readLong(token: number): unknown {
  switch (token) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xc4:
      return readBytes(readUint8())
    case 0xc5:
      return readBytes(readUint16())
    case 0xc6:
      return readBytes(readUint32())
    case 0xc7:
      return readTimestamp(readUint8())
    case 0xc8:
      return readTimestamp(readUint16())
    case 0xc9:
      return readTimestamp(readUint32())
    case 0xd6:
      return readTimestamp(4)
    case 0xd7:
      return readTimestamp(8)
    case 0xd9:
      return readString(readUint8())
    case 0xda:
      return readString(readUint16())
    case 0xdb:
      return readString(readUint32())
    case 0xdc:
      return readArray(readUint16())
    case 0xdd:
      return readArray(readUint32())
    case 0xde:
      return readMap(readUint16())
    case 0xdf:
      return readMap(readUint32())
    default:
      return readNumber(token)
  }
}

function readNumber(token: number): number {
  switch (token) {
    case 0xca:
      return readFloat32()
    case 0xcb:
      return readFloat64()
    case 0xcc:
      return readUint8()
    case 0xcd:
      return readUint16()
    case 0xce:
      return readUint32()
    case 0xcf:
      return readUint32() * 0x100000000 + readUint32()
    case 0xd0:
      return (readUint8() << 24) >> 24
    case 0xd1:
      return (readUint16() << 16) >> 16
    case 0xd2:
      return readUint32() | 0
    default:
      return (readUint32() | 0) * 0x100000000 + readUint32()
  }
}

function readArray(length: number): unknown[] {
  // The guard has bounded the length. Growing an array step by step takes twice as long.
  const values = new Array<unknown>(length) // oxlint-disable-line unicorn/no-new-array
  for (let index = 0; index < length; index += 1) values[index] = readValue()
  return values
}

function readMap(length: number): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (let index = 0; index < length; index += 1) {
    const key = readKey()
    object[key] = readValue()
  }
  return object
}

function readBytes(length: number): Uint8Array {
  const start = base + at
  at += length
  return new Uint8Array(buffer, start, length)
}

function readString(length: number): string {
  const start = at
  at += length
  const place = length > CACHED_BYTES_MAX ? -1 : placeOf(start, at)
  if (place < 0) return decodeUtf8(start, length)
  const cached = texts[place] as string
  if (isSame(cached, start, length)) return cached
  const text = decodeUtf8(start, length)
  texts[place] = text
  return text
}

/** Keys have a cache of their own: once used as a property name a string stays quick at it. */
function readKey(): string {
  const token = source[at++] as number
  const length = token < 0xc0 ? token & 0x1f : readKeyLength(token)
  const start = at
  at += length
  const place = length > CACHED_BYTES_MAX ? -1 : placeOf(start, at)
  if (place < 0) return decodeUtf8(start, length)
  const cached = keys[place] as string
  if (isSame(cached, start, length)) return cached
  const key = Object.keys({ [decodeUtf8(start, length)]: 0 })[0] as string
  keys[place] = key
  return key
}

function readKeyLength(token: number): number {
  if (token === 0xd9) return readUint8()
  return token === 0xda ? readUint16() : readUint32()
}

/** Where in a cache a short string of ASCII stands; negative for others. */
function placeOf(start: number, end: number): number {
  let hash = end - start
  for (let index = start; index < end; index += 1) {
    const byte = source[index] as number
    if (byte >= 0x80) return -1
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  return (hash ^ (hash >>> 15)) & (CACHE_PLACES - 1)
}

function isSame(cached: string, start: number, length: number): boolean {
  if (cached.length !== length) return false
  for (let index = 0; index < length; index += 1) {
    if (cached.charCodeAt(index) !== source[start + index]) return false
  }
  return true
}

function decodeUtf8(start: number, length: number): string {
  return Buffer.from(buffer, base + start, length).toString('utf8')
}

function readUint8(): number {
  return source[at++] as number
}

function readUint16(): number {
  const value = ((source[at] as number) << 8) | (source[at + 1] as number)
  at += 2
  return value
}

function readUint32(): number {
  const high = ((source[at] as number) << 16) | ((source[at + 1] as number) << 8)
  const value = (high | (source[at + 2] as number)) * 0x100 + (source[at + 3] as number)
  at += 4
  return value
}

/** The bytes are turned round: typed arrays have the machine's order, which is little-endian. */
function readFloat32(): number {
  for (let index = 3; index >= 0; index -= 1) float32Bytes[index] = readUint8()
  return float32[0] as number
}

function readFloat64(): number {
  for (let index = 7; index >= 0; index -= 1) float64Bytes[index] = readUint8()
  return float64[0] as number
}

function readTimestamp(length: number): Date {
  at += 1
  if (length === 4) return new Date(readUint32() * 1000)
  const nanoseconds = readUint32()
  if (length === 8) {
    const seconds = (nanoseconds & 3) * 0x100000000 + readUint32()
    return new Date(seconds * 1000 + (nanoseconds >>> 2) / 1e6)
  }
  const seconds = (readUint32() | 0) * 0x100000000 + readUint32()
  return new Date(seconds * 1000 + nanoseconds / 1e6)
}
