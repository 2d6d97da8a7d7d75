// Reads numbers and texts in the forms that LevelDB gives them: little-endian, varints.

/** Bytes that end too early, or a number that no file of LevelDB holds. */
export class LevelFormatError extends Error {
  override readonly name = 'LevelFormatError'
}

export class LevelBytes {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** A varint of up to 53 bits: sizes, offsets and numbers of files have no more. */
  varint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) break
      this.#at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new LevelFormatError(`no number at byte ${this.#at}`)
  }

  skip(count: number): void {
    this.#at += count
  }

  /** A varint of up to 64 bits that nobody needs. */
  skipVarint(): void {
    while ((this.#bytes[this.#at++] ?? 0) >= 0x80);
    if (this.#at > this.#bytes.length) throw new LevelFormatError('a number is cut off')
  }

  /** Bytes after their length. */
  slice(): Uint8Array {
    const length = this.varint()
    const start = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) throw new LevelFormatError('a text is cut off')
    return this.#bytes.subarray(start, this.#at)
  }
}

export function uint32At(bytes: Uint8Array, at: number): number {
  if (at < 0 || at + 4 > bytes.length) throw new LevelFormatError(`no number at byte ${at}`)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true)
}
