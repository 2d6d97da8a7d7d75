// Bytes written one after the other into large chunks; records are views into them.

import { invariant } from '@tq/core'

/** A small commit costs a small chunk; each further one is larger, so that large ones need few. */
const CHUNK_BYTES_MIN = 8 * 1024
const CHUNK_BYTES_MAX = 256 * 1024
/** Longest text of a record; its limits on the wire keep every text well below. */
const TEXT_BYTES_MAX = 0xffff
const ENCODER = new TextEncoder()

/**
 * Records are written between `begin` and `end`. A chunk is given up when a record does not fit, so
 * that views into it stay as they are.
 */
export class ByteWriter {
  #chunkBytes = CHUNK_BYTES_MIN
  #bytes = new Uint8Array(0)
  #view = new DataView(this.#bytes.buffer)
  #at = 0
  #begin = 0

  /** Begins a record of at most `bytesMax` bytes. */
  begin(bytesMax: number): void {
    if (this.#at + bytesMax > this.#bytes.length) {
      // Not zeroed by us: every byte of a record is written before anybody reads it.
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(this.#chunkBytes, bytesMax))
      this.#chunkBytes = Math.min(CHUNK_BYTES_MAX, 2 * this.#chunkBytes)
      this.#view = new DataView(this.#bytes.buffer)
      this.#at = 0
    }
    this.#begin = this.#at
  }

  /** Ends the record and gives its bytes: a view, valid for as long as it is held. */
  end(): Uint8Array {
    return this.#bytes.subarray(this.#begin, this.#at)
  }

  u8(value: number): void {
    this.#bytes[this.#at] = value
    this.#at += 1
  }

  u16(value: number): void {
    this.#view.setUint16(this.#at, value)
    this.#at += 2
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value)
    this.#at += 4
  }

  f64(value: number): void {
    this.#view.setFloat64(this.#at, value)
    this.#at += 8
  }

  bytes(value: Uint8Array): void {
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  /** UTF-8 text after its length in two bytes. The caller has made room by {@link textBytesMax}. */
  text(value: string): void {
    const { read, written } = ENCODER.encodeInto(value, this.#bytes.subarray(this.#at + 2))
    invariant(read === value.length, 'the caller has made room for the text')
    invariant(written <= TEXT_BYTES_MAX, 'the length of a text fits two bytes')
    this.#view.setUint16(this.#at, written)
    this.#at += 2 + written
  }
}

/** Room that {@link ByteWriter.text} may need. */
export function textBytesMax(value: string): number {
  return 2 + value.length * 3
}
