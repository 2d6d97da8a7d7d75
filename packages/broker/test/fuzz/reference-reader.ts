// MessagePack as docs/protocol.md allows it, read the slow and obvious way: what the decoder must agree with.

import { limits } from '@tq/core'

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const SAFE_MAX = 2n ** 53n
const NANOSECONDS = 1_000_000_000
const TIMESTAMP = -1

/** True if the bytes are one value of the protocol, and nothing else. */
export function isProtocolValue(bytes: Uint8Array): boolean {
  try {
    const reader = new ReferenceReader(bytes)
    reader.value(0)
    return reader.isAtEnd
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return false
    throw error
  }
}

/** Throws RangeError for what is not allowed or not there, TypeError for text that is no UTF-8. */
class ReferenceReader {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  #at = 0
  #nodes = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  value(depth: number): void {
    this.#count()
    const token = this.#uint(1)
    if (token < 0x80 || token >= 0xe0) return
    if (token < 0x90) return this.#map(token & 15, depth)
    if (token < 0xa0) return this.#array(token & 15, depth)
    if (token < 0xc0) return void this.#text(token & 31, limits.MSGPACK_STRING_BYTES_MAX)
    this.#long(token, depth)
  }

  #long(token: number, depth: number): void {
    switch (token) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return void this.#take(this.#uint(1 << (token - 0xc4)))
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (token - 0xc7)))
      case 0xca:
        return require(Number.isFinite(this.#view.getFloat32(this.#skip(4))))
      case 0xcb:
        return require(Number.isFinite(this.#view.getFloat64(this.#skip(8))))
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return void this.#skip(1 << (token & 3))
      case 0xcf:
        return require(this.#view.getBigUint64(this.#skip(8)) <= SAFE_MAX)
      case 0xd3: {
        const integer = this.#view.getBigInt64(this.#skip(8))
        return require(integer >= -SAFE_MAX && integer <= SAFE_MAX)
      }
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (token - 0xd4))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return void this.#text(this.#uint(1 << (token - 0xd9)), limits.MSGPACK_STRING_BYTES_MAX)
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(2 << (token - 0xdc)), depth)
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 << (token - 0xde)), depth)
      default:
        return require(false)
    }
  }

  #array(length: number, depth: number): void {
    require(depth < limits.MSGPACK_DEPTH_MAX && length <= limits.MSGPACK_ARRAY_MAX)
    for (let index = 0; index < length; index += 1) this.value(depth + 1)
  }

  #map(length: number, depth: number): void {
    require(depth < limits.MSGPACK_DEPTH_MAX && length <= limits.MSGPACK_MAP_MAX)
    const keys = new Set(['__proto__'])
    for (let index = 0; index < length; index += 1) {
      this.#count()
      const key = this.#key()
      require(!keys.has(key))
      keys.add(key)
      this.value(depth + 1)
    }
  }

  #key(): string {
    const token = this.#uint(1)
    if (token >= 0xa0 && token < 0xc0) return this.#text(token & 31, limits.MSGPACK_KEY_BYTES_MAX)
    require(token >= 0xd9 && token <= 0xdb)
    return this.#text(this.#uint(1 << (token - 0xd9)), limits.MSGPACK_KEY_BYTES_MAX)
  }

  #text(length: number, lengthMax: number): string {
    require(length <= lengthMax)
    return UTF8.decode(this.#take(length))
  }

  #extension(length: number): void {
    require(this.#view.getInt8(this.#skip(1)) === TIMESTAMP)
    const start = this.#skip(length)
    if (length === 4) return
    require(length === 8 || length === 12)
    const first = this.#view.getUint32(start)
    require((length === 8 ? first >>> 2 : first) < NANOSECONDS)
  }

  #uint(byteCount: number): number {
    const start = this.#skip(byteCount)
    if (byteCount === 1) return this.#view.getUint8(start)
    return byteCount === 2 ? this.#view.getUint16(start) : this.#view.getUint32(start)
  }

  #take(length: number): Uint8Array {
    const start = this.#skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  #skip(length: number): number {
    const start = this.#at
    this.#at += length
    require(this.#at <= this.#bytes.length)
    return start
  }

  #count(): void {
    this.#nodes += 1
    require(this.#nodes <= limits.MSGPACK_NODES_MAX)
  }
}

function require(holds: boolean): void {
  if (!holds) throw new RangeError('not a value of the protocol')
}
