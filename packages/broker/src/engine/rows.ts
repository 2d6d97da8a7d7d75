// Fixed-width rows on one growing buffer: no object per row for the garbage collector to walk.

import { invariant } from '@tq/core'

/** Number of a row. Reused after `release`. */
export type Row = number

/** "No row" in a 32-bit field. */
export const NO_ROW = 0xffff_ffff

export interface RowsOptions {
  /** Width of a row in 32-bit words; even, so that doubles are aligned. */
  readonly words: number
  /** Rows to make room for at first. Untouched room costs address space, not memory. */
  readonly capacity: number
}

/**
 * Rows are read and written through two views of the same bytes: word `w` of a row is
 * `u32[row * words + w]`, double `d` is `f64[row * doubles + d]`; a double covers two words.
 */
export class Rows {
  readonly words: number
  readonly doubles: number
  u32: Uint32Array
  f64: Float64Array
  /** Rows in use. */
  count = 0
  #capacity: number
  #used = 0 // rows that were ever in use; all above are untouched
  #free: Row = NO_ROW // head of the list of released rows, linked through their first word

  constructor(options: RowsOptions) {
    invariant(options.words % 2 === 0, 'a row is a whole number of doubles')
    this.words = options.words
    this.doubles = options.words / 2
    this.#capacity = options.capacity
    const buffer = new ArrayBuffer(options.capacity * options.words * 4)
    this.u32 = new Uint32Array(buffer)
    this.f64 = new Float64Array(buffer)
  }

  /** Bytes that rows in use and released ones take. */
  get bytes(): number {
    return this.#used * this.words * 4
  }

  /** Rows that were ever in use: an upper bound for a scan over all rows. */
  get end(): Row {
    return this.#used
  }

  /** A row full of zeros. */
  acquire(): Row {
    this.count += 1
    if (this.#free !== NO_ROW) {
      const row = this.#free
      const base = row * this.words
      this.#free = this.u32[base] as number
      this.u32.fill(0, base, base + this.words)
      return row
    }
    if (this.#used === this.#capacity) this.#grow()
    return this.#used++
  }

  /** Gives a row back. Its first word then links to the next free row. */
  release(row: Row): void {
    const base = row * this.words
    this.u32.fill(0, base, base + this.words)
    this.u32[base] = this.#free
    this.#free = row
    this.count -= 1
  }

  #grow(): void {
    this.#capacity *= 2
    const buffer = new ArrayBuffer(this.#capacity * this.words * 4)
    const u32 = new Uint32Array(buffer)
    u32.set(this.u32)
    this.u32 = u32
    this.f64 = new Float64Array(buffer)
  }
}
