// Indexed binary heap over rows: the smallest key first; a row knows its own place in it.

import { invariant } from '@tq/core'
import { NO_ROW, type Row, type Rows } from './rows.ts'

export interface HeapOptions {
  /** The table whose rows stand in this heap. */
  readonly rows: Rows
  /** Word of the row that holds its place, plus one; 0 means that it stands in no heap. */
  readonly placeWord: number
  /** Double of the row that decides between equal keys. Never equal itself: the order is total. */
  readonly tieDouble: number
}

/** Room of a new heap: most lanes stay short. */
const CAPACITY_MIN = 4

/**
 * O(log n) insert, remove by row and change of key; O(1) first. Keys stand in the heap itself, so
 * that a comparison touches the row only on a tie.
 */
export class Heap {
  size = 0
  readonly #rows: Rows
  readonly #placeWord: number
  readonly #tieDouble: number
  #keys = new Float64Array(CAPACITY_MIN)
  #members = new Uint32Array(CAPACITY_MIN)

  constructor(options: HeapOptions) {
    this.#rows = options.rows
    this.#placeWord = options.placeWord
    this.#tieDouble = options.tieDouble
  }

  /** The row that goes first, or {@link NO_ROW}. */
  first(): Row {
    return this.size === 0 ? NO_ROW : (this.#members[0] as number)
  }

  /** Key of the first row; Infinity if there is none. */
  firstKey(): number {
    return this.size === 0 ? Infinity : (this.#keys[0] as number)
  }

  /** True if the row stands in this heap. */
  has(row: Row): boolean {
    const place = this.#place(row)
    return place >= 0 && place < this.size && this.#members[place] === row
  }

  keyOf(row: Row): number {
    invariant(this.has(row), 'the row stands in the heap')
    return this.#keys[this.#place(row)] as number
  }

  insert(row: Row, key: number): void {
    invariant(this.#place(row) < 0, 'a row stands in one heap at a time')
    if (this.size === this.#members.length) this.#grow()
    this.size += 1
    this.#up(this.size - 1, row, key)
  }

  remove(row: Row): void {
    invariant(this.has(row), 'a row is removed from the heap it stands in')
    const place = this.#place(row)
    this.#setPlace(row, -1)
    this.size -= 1
    if (place === this.size) return
    // The last member takes the empty place and moves whichever way its key asks.
    const last = this.#members[this.size] as number
    const key = this.#keys[this.size] as number
    this.#move(place, last, key)
  }

  changeKey(row: Row, key: number): void {
    invariant(this.has(row), 'a key is changed in the heap where the row stands')
    this.#move(this.#place(row), row, key)
  }

  /** Moves all keys by the same amount: the order stays as it is. */
  addToAllKeys(amount: number): void {
    for (let place = 0; place < this.size; place += 1) {
      this.#keys[place] = (this.#keys[place] as number) + amount
    }
  }

  /** Member at a place, for checks and for reading in no particular order. */
  at(place: number): Row {
    return this.#members[place] as number
  }

  keyAt(place: number): number {
    return this.#keys[place] as number
  }

  /**
   * Fills the heap with many rows at once, in O(n): for recovery, where one insert after the other
   * would cost O(n log n). The heap must be empty.
   */
  fill(members: Uint32Array, keys: Float64Array): void {
    invariant(this.size === 0, 'only an empty heap is filled')
    this.#members = members.slice()
    this.#keys = keys.slice()
    this.size = members.length
    for (let place = 0; place < this.size; place += 1) {
      this.#setPlace(this.#members[place] as number, place)
    }
    for (let place = (this.size >>> 1) - 1; place >= 0; place -= 1) {
      this.#down(place, this.#members[place] as number, this.#keys[place] as number)
    }
  }

  #move(place: number, row: Row, key: number): void {
    if (place > 0 && this.#goesBefore(row, key, (place - 1) >>> 1)) this.#up(place, row, key)
    else this.#down(place, row, key)
  }

  #up(from: number, row: Row, key: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >>> 1
      if (!this.#goesBefore(row, key, parent)) break
      this.#seat(place, this.#members[parent] as number, this.#keys[parent] as number)
      place = parent
    }
    this.#seat(place, row, key)
  }

  #down(from: number, row: Row, key: number): void {
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= this.size) break
      const right = child + 1
      if (right < this.size && this.#placeGoesBefore(right, child)) child = right
      if (this.#goesBefore(row, key, child)) break
      this.#seat(place, this.#members[child] as number, this.#keys[child] as number)
      place = child
    }
    this.#seat(place, row, key)
  }

  #placeGoesBefore(a: number, b: number): boolean {
    return this.#goesBefore(this.#members[a] as number, this.#keys[a] as number, b)
  }

  #goesBefore(row: Row, key: number, place: number): boolean {
    const other = this.#keys[place] as number
    if (key !== other) return key < other
    return this.#tie(row) < this.#tie(this.#members[place] as number)
  }

  #seat(place: number, row: Row, key: number): void {
    this.#members[place] = row
    this.#keys[place] = key
    this.#setPlace(row, place)
  }

  #tie(row: Row): number {
    return this.#rows.f64[row * this.#rows.doubles + this.#tieDouble] as number
  }

  #place(row: Row): number {
    return (this.#rows.u32[row * this.#rows.words + this.#placeWord] as number) - 1
  }

  #setPlace(row: Row, place: number): void {
    this.#rows.u32[row * this.#rows.words + this.#placeWord] = place + 1
  }

  #grow(): void {
    const capacity = Math.max(CAPACITY_MIN, this.#keys.length * 2) // 0 after a fill with nothing
    const keys = new Float64Array(capacity)
    keys.set(this.#keys)
    this.#keys = keys
    const members = new Uint32Array(capacity)
    members.set(this.#members)
    this.#members = members
  }
}
