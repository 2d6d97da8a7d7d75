// Bytes read one after the other. Reading past the end throws RangeError: the record is cut short.

const DECODER = new TextDecoder('utf-8', { fatal: true })

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at: number

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = from
  }

  u8(): number {
    this.#at += 1
    return this.#view.getUint8(this.#at - 1)
  }

  u16(): number {
    this.#at += 2
    return this.#view.getUint16(this.#at - 2)
  }

  u32(): number {
    this.#at += 4
    return this.#view.getUint32(this.#at - 4)
  }

  f64(): number {
    this.#at += 8
    return this.#view.getFloat64(this.#at - 8)
  }

  /** A copy, so that what is kept does not hold a whole page of the disk in memory. */
  bytes(length: number): Uint8Array {
    // Not slice(): on a Buffer that would be a view.
    return new Uint8Array(this.view(length))
  }

  view(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('the record is cut short')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  text(): string {
    return DECODER.decode(this.view(this.u16()))
  }
}
