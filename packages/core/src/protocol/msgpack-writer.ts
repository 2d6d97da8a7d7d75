// Writes frames: values as MessagePack in their shortest form, behind a 4-byte length.

import { TqError } from '../error.ts'
import { FRAME_HEADER_BYTES } from './frame.ts'

/** Small frames share buffers of this many bytes; each frame is written once and never moved. */
const SHARED_BYTES = 64 * 1024
/** Begin no frame in a shared buffer with less room than this: it would be copied at once. */
const ROOM_BYTES_MIN = 1024
/** Longest head of a value: a first byte and eight more. */
const HEAD_BYTES_MAX = 9
/** Up to so many characters a loop over ASCII is cheaper than a native call. */
const LOOP_CHARACTERS_MAX = 48
/** The same for bytes; ids have 16. */
const LOOP_BYTES_MAX = 32

/**
 * Builds one frame at a time: `begin`, then values in order, then `end`, which gives the frame. What
 * it gives is never written to again. It holds no more than one shared buffer between frames.
 */
export class FrameWriter {
  #target: Buffer = Buffer.alloc(0)
  #start = 0
  #at = 0

  begin(): void {
    const isUsedUp = this.#target.length - this.#at < ROOM_BYTES_MIN
    if (isUsedUp || this.#target.length > SHARED_BYTES) {
      this.#target = Buffer.allocUnsafeSlow(SHARED_BYTES)
      this.#at = 0
    }
    this.#start = this.#at
    this.#at += FRAME_HEADER_BYTES
  }

  /** The frame, with its length in front. */
  end(): Uint8Array {
    const bodyBytes = this.#at - this.#start - FRAME_HEADER_BYTES
    this.#target.writeUInt32BE(bodyBytes, this.#start)
    return this.#target.subarray(this.#start, this.#at)
  }

  writeNil(): void {
    this.#reserve(1)
    this.#target[this.#at++] = 0xc0
  }

  writeArrayHead(length: number): void {
    this.#writeHead(length, 0x90, 0xdc)
  }

  writeMapHead(length: number): void {
    this.#writeHead(length, 0x80, 0xde)
  }

  /** Any value of the wire. In objects, fields that are undefined are left out. */
  writeValue(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.writeString(value)
      case 'number':
        return this.writeNumber(value)
      case 'boolean':
        this.#reserve(1)
        this.#target[this.#at++] = value ? 0xc3 : 0xc2
        return
      case 'undefined':
        return this.writeNil()
      case 'object':
        return this.#writeObject(value)
      case 'bigint':
      case 'function':
      case 'symbol':
        throw new TqError('BAD_REQUEST', `a ${typeof value} cannot be sent in a message`)
    }
  }

  writeNumber(value: number): void {
    this.#reserve(HEAD_BYTES_MAX)
    const target = this.#target
    if (value >>> 0 === value) {
      if (value < 0x80) {
        target[this.#at++] = value
      } else if (value < 0x100) {
        target[this.#at++] = 0xcc
        target[this.#at++] = value
      } else if (value < 0x10000) {
        target[this.#at++] = 0xcd
        this.#at = target.writeUInt16BE(value, this.#at)
      } else {
        target[this.#at++] = 0xce
        this.#at = target.writeUInt32BE(value, this.#at)
      }
    } else if (Number.isInteger(value) && Math.abs(value) <= 2 ** 53) {
      this.#writeWideInteger(value)
    } else if (Number.isFinite(value)) {
      target[this.#at++] = 0xcb
      this.#at = target.writeDoubleBE(value, this.#at)
    } else {
      throw new TqError('BAD_REQUEST', `a number in a message must be finite, got ${value}`)
    }
  }

  writeString(text: string): void {
    const length = text.length
    this.#reserve(HEAD_BYTES_MAX + length)
    if (length <= LOOP_CHARACTERS_MAX && this.#writeAscii(text)) return
    const byteLength = Buffer.byteLength(text, 'utf8')
    this.#reserve(HEAD_BYTES_MAX + byteLength)
    if (byteLength < 0x20) this.#target[this.#at++] = 0xa0 | byteLength
    else this.#writeLength(byteLength, 0xd9)
    this.#at += this.#target.write(text, this.#at, byteLength, 'utf8')
  }

  writeBytes(bytes: Uint8Array): void {
    this.#reserve(HEAD_BYTES_MAX + bytes.length)
    this.#writeLength(bytes.length, 0xc4)
    if (bytes.length > LOOP_BYTES_MAX) {
      this.#target.set(bytes, this.#at)
    } else {
      for (let index = 0; index < bytes.length; index += 1) {
        this.#target[this.#at + index] = bytes[index] as number
      }
    }
    this.#at += bytes.length
  }

  #writeObject(value: object | null): void {
    if (value === null) return this.writeNil()
    if (Array.isArray(value)) {
      this.writeArrayHead(value.length)
      for (let index = 0; index < value.length; index += 1) this.writeValue(value[index])
      return
    }
    if (value.constructor !== Object) {
      if (value instanceof Uint8Array) return this.writeBytes(value)
      requirePlain(value)
    }
    this.writeFields(value as Readonly<Record<string, unknown>>)
  }

  /** A map of the fields of an object that are not undefined. */
  writeFields(fields: Readonly<Record<string, unknown>>): void {
    const keys = Object.keys(fields)
    let count = 0
    for (const key of keys) if (fields[key] !== undefined) count += 1
    this.writeMapHead(count)
    for (const key of keys) {
      const value = fields[key]
      if (value === undefined) continue
      this.writeString(key)
      this.writeValue(value)
    }
  }

  /** A short string of ASCII, after room has been reserved. False, with nothing written, if not. */
  #writeAscii(text: string): boolean {
    const target = this.#target
    const length = text.length
    let at = this.#at
    if (length < 0x20) {
      target[at++] = 0xa0 | length
    } else {
      target[at++] = 0xd9
      target[at++] = length
    }
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index)
      if (code >= 0x80) return false
      target[at++] = code
    }
    this.#at = at
    return true
  }

  /** Integers that 32 unsigned bits do not hold. */
  #writeWideInteger(value: number): void {
    const target = this.#target
    if (value >= -0x20 && value < 0) {
      target[this.#at++] = value + 0x100
    } else if (value >= -0x80 && value < 0) {
      target[this.#at++] = 0xd0
      target[this.#at++] = value + 0x100
    } else if (value >= -0x8000 && value < 0) {
      target[this.#at++] = 0xd1
      this.#at = target.writeInt16BE(value, this.#at)
    } else if (value >= -0x80000000 && value < 0) {
      target[this.#at++] = 0xd2
      this.#at = target.writeInt32BE(value, this.#at)
    } else {
      target[this.#at++] = value < 0 ? 0xd3 : 0xcf
      this.#at = target.writeInt32BE(Math.floor(value / 0x100000000), this.#at)
      this.#at = target.writeUInt32BE(value >>> 0, this.#at)
    }
  }

  /** Head of an array or map: a length below 16 in the first byte, else 2 or 4 bytes behind it. */
  #writeHead(length: number, short: number, long: number): void {
    this.#reserve(HEAD_BYTES_MAX)
    if (length < 0x10) {
      this.#target[this.#at++] = short | length
    } else if (length < 0x10000) {
      this.#target[this.#at++] = long
      this.#at = this.#target.writeUInt16BE(length, this.#at)
    } else {
      this.#target[this.#at++] = long + 1
      this.#at = this.#target.writeUInt32BE(length, this.#at)
    }
  }

  /** Head of a str or bin: `first`, or one of the two tokens after it, and 1, 2 or 4 bytes. */
  #writeLength(length: number, first: number): void {
    const target = this.#target
    if (length < 0x100) {
      target[this.#at++] = first
      target[this.#at++] = length
    } else if (length < 0x10000) {
      target[this.#at++] = first + 1
      this.#at = target.writeUInt16BE(length, this.#at)
    } else {
      target[this.#at++] = first + 2
      this.#at = target.writeUInt32BE(length, this.#at)
    }
  }

  /** Makes room for so many bytes; a frame that outgrows a shared buffer gets one of its own. */
  #reserve(byteCount: number): void {
    if (this.#at + byteCount > this.#target.length) this.#grow(byteCount)
  }

  #grow(byteCount: number): void {
    const written = this.#at - this.#start
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * (written + byteCount), SHARED_BYTES))
    grown.set(this.#target.subarray(this.#start, this.#at))
    this.#target = grown
    this.#start = 0
    this.#at = written
  }
}

/** An object of a class would come out as something else: refused instead. */
function requirePlain(value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return
  throw new TqError('BAD_REQUEST', `a ${value.constructor.name} cannot be sent in a message`)
}
