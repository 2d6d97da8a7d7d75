// From a task's id to its row: open addressing on one typed array, 4 bytes an entry.

import type { Row } from './rows.ts'
import { type TaskTable, wordOfId } from './task-table.ts'

/** Fullness at which the index doubles: below it, probes stay short. */
const LOAD_MAX = 0.6

export class TaskIndex {
  readonly #tasks: TaskTable
  /** Unknown to clients, so that nobody can choose ids that collide. */
  readonly #seed: number
  #entries: Uint32Array // row + 1; 0 is empty
  #mask: number
  #size = 0

  constructor(tasks: TaskTable, options: { readonly seed: number; readonly capacity: number }) {
    this.#tasks = tasks
    this.#seed = options.seed >>> 0
    this.#entries = new Uint32Array(options.capacity)
    this.#mask = options.capacity - 1
  }

  get size(): number {
    return this.#size
  }

  find(id: Uint8Array): Row | undefined {
    const w1 = wordOfId(id, 1)
    const w2 = wordOfId(id, 2)
    const w3 = wordOfId(id, 3)
    for (let at = this.#start(w1, w2, w3); ; at = (at + 1) & this.#mask) {
      const entry = this.#entries[at] as number
      if (entry === 0) return undefined
      const row = entry - 1
      if (
        this.#tasks.idWord(row, 3) === w3 &&
        this.#tasks.idWord(row, 2) === w2 &&
        this.#tasks.idWord(row, 1) === w1 &&
        this.#tasks.idWord(row, 0) === wordOfId(id, 0)
      ) {
        return row
      }
    }
  }

  /** Adds a row whose id is not in the index yet. */
  add(row: Row): void {
    if (this.#size + 1 > this.#entries.length * LOAD_MAX) this.#grow()
    this.#size += 1
    this.#place(row)
  }

  /** Removes a row that is in the index; entries after it close the hole. */
  remove(row: Row): void {
    let hole = this.#startOfRow(row)
    while (this.#entries[hole] !== row + 1) hole = (hole + 1) & this.#mask
    this.#size -= 1
    for (let at = (hole + 1) & this.#mask; ; at = (at + 1) & this.#mask) {
      const entry = this.#entries[at] as number
      if (entry === 0) break
      const start = this.#startOfRow(entry - 1)
      // The entry may move into the hole unless its probe begins behind the hole.
      if (((at - start) & this.#mask) >= ((at - hole) & this.#mask)) {
        this.#entries[hole] = entry
        hole = at
      }
    }
    this.#entries[hole] = 0
  }

  #place(row: Row): void {
    let at = this.#startOfRow(row)
    while (this.#entries[at] !== 0) at = (at + 1) & this.#mask
    this.#entries[at] = row + 1
  }

  #startOfRow(row: Row): number {
    const tasks = this.#tasks
    return this.#start(tasks.idWord(row, 1), tasks.idWord(row, 2), tasks.idWord(row, 3))
  }

  #start(w1: number, w2: number, w3: number): number {
    let hash = this.#seed ^ w1
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) ^ w2
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ w3
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return (hash ^ (hash >>> 13)) & this.#mask
  }

  #grow(): void {
    const old = this.#entries
    this.#entries = new Uint32Array(old.length * 2)
    this.#mask = this.#entries.length - 1
    for (const entry of old) if (entry !== 0) this.#place(entry - 1)
  }
}
