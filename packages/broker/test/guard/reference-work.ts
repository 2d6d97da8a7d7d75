// A fixed amount of work of the same kinds as the broker's, measured beside it: a machine that is
// slower, or busy, slows both. Never change it without recording the baseline anew.

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'

/** Entries of the heap at all times. */
const HEAP_ENTRIES = 4_096
/** Units between two syncs, as tasks share a commit. */
const UNITS_PER_SYNC = 500
const RECORD_BYTES = 256
/** So that a unit costs about as much as a task: short measurements are noisy ones. */
const PASSES = 12

interface Unit {
  readonly id: string
  readonly bytes: Uint8Array
  readonly fields: readonly [number, string, boolean]
}

export class ReferenceWork {
  readonly #file: number
  readonly #heap = Float64Array.from({ length: HEAP_ENTRIES }, (_, at) => at)
  readonly #table = crcTable()
  readonly #page = new Uint8Array(UNITS_PER_SYNC * RECORD_BYTES)
  readonly #units = new Map<string, Unit>()
  #next = 0
  #crc = 0

  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }

  /** So many units. `onWave` is called before, and after each sync. */
  run(units: number, onWave: () => void): void {
    onWave()
    for (let at = 0; at < units; at += 1) {
      this.#unit(at % UNITS_PER_SYNC)
      if ((at + 1) % UNITS_PER_SYNC > 0) continue
      writeSync(this.#file, this.#page, 0, this.#page.length, 0)
      fdatasyncSync(this.#file)
      this.#units.clear()
      onWave()
    }
  }

  close(): number {
    closeSync(this.#file)
    return this.#crc
  }

  /** One life of a thing: made, encoded, found again, moved through a heap, and forgotten. */
  #unit(place: number): void {
    this.#next += 1
    const number = this.#next
    const id = `unit-${number}`
    const record = this.#page.subarray(place * RECORD_BYTES, (place + 1) * RECORD_BYTES)
    this.#units.set(id, { id, bytes: record, fields: [number, 'noop', number % 2 === 0] })
    for (let pass = 0; pass < PASSES; pass += 1) {
      this.#encode(record, this.#units.get(id), pass)
      this.#crc ^= this.#checksum(record)
      this.#replaceFirst(number + Math.imul(number, 2_654_435_761) / 2 ** 20)
    }
  }

  #encode(record: Uint8Array, unit: Unit | undefined, pass: number): void {
    if (unit === undefined) return
    let at = 0
    record[at++] = 0x94
    for (const field of unit.fields) {
      const text = String(field)
      record[at++] = 0xa0 | text.length
      for (let index = 0; index < text.length; index += 1) record[at++] = text.charCodeAt(index)
    }
    record[at++] = pass
    record.fill(unit.id.length, at)
  }

  #checksum(record: Uint8Array): number {
    let crc = 0xffffffff
    for (const byte of record) crc = (this.#table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
    return crc >>> 0
  }

  /** Takes the smallest key away and puts another in. */
  #replaceFirst(key: number): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= HEAP_ENTRIES) break
      if (child + 1 < HEAP_ENTRIES && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child += 1
      if ((heap[child] ?? 0) >= key) break
      heap[at] = heap[child] ?? 0
      at = child
    }
    heap[at] = key
  }
}

function crcTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    return crc
  })
}
