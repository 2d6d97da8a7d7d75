// Task ids: UUIDv7 with the queue's slot in the top 10 bits of rand_b, monotonic in a process.

import { invariant } from './invariant.ts'

export const TASK_ID_BYTES: number = 16

/** The id as 16 raw bytes: its form on the wire and on disk. */
export type TaskIdBytes = Uint8Array

const TEXT_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** The counter in rand_a starts low in each ms, so that a burst seldom runs into the next one. */
const COUNTER_MAX = 0xfff

/** Where ids come from: time and randomness are given, so that a simulation can repeat them. */
export interface TaskIdSource {
  readonly wallMs: () => number
  /** Fills the array with random bytes. */
  readonly fillRandom: (bytes: Uint8Array) => void
}

/** Makes ids that only grow, even if the wall clock steps back or a ms is used up. */
export class TaskIdMaker {
  readonly #source: TaskIdSource
  readonly #random = new Uint8Array(7 * 128)
  #randomAt = this.#random.length
  #lastMs = 0
  #counter = 0

  constructor(source: TaskIdSource) {
    this.#source = source
  }

  /** A new id for a task of a queue with this slot. */
  make(slot: number): TaskIdBytes {
    this.#advance()
    const id = new Uint8Array(TASK_ID_BYTES)
    writeMs(id, this.#lastMs)
    id[6] = 0x70 | (this.#counter >>> 8)
    id[7] = this.#counter & 0xff
    const random = this.#nextRandom()
    id[8] = 0x80 | (slot >>> 4)
    id[9] = ((slot & 0xf) << 4) | ((this.#random[random] as number) & 0xf)
    id.set(this.#random.subarray(random + 1, random + 7), 10)
    return id
  }

  #advance(): void {
    const nowMs = this.#source.wallMs()
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs
      this.#counter = 0
    } else if (this.#counter < COUNTER_MAX) {
      this.#counter += 1
    } else {
      this.#lastMs += 1
      this.#counter = 0
    }
  }

  #nextRandom(): number {
    if (this.#randomAt >= this.#random.length) {
      this.#source.fillRandom(this.#random)
      this.#randomAt = 0
    }
    const at = this.#randomAt
    this.#randomAt += 7
    return at
  }
}

/** The slot inside an id. */
export function slotOfTaskId(id: TaskIdBytes): number {
  return (((id[8] as number) & 0x3f) << 4) | ((id[9] as number) >>> 4)
}

/** The moment inside an id, in ms since the Unix epoch, as its maker's clock saw it. */
export function wallMsOfTaskId(id: TaskIdBytes): number {
  let ms = 0
  for (let at = 0; at < 6; at += 1) ms = ms * 256 + (id[at] as number)
  return ms
}

/** True for 16 bytes with version 7 and the RFC 9562 variant. */
export function isTaskIdBytes(value: unknown): value is TaskIdBytes {
  return (
    value instanceof Uint8Array &&
    value.length === TASK_ID_BYTES &&
    (value[6] as number) >>> 4 === 7 &&
    (value[8] as number) >>> 6 === 2
  )
}

/** The 36-character text of an id. */
export function formatTaskId(id: TaskIdBytes): string {
  const hex = hexOf(id)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Parses the 36-character text; undefined if it is not a UUIDv7. */
export function parseTaskId(text: string): TaskIdBytes | undefined {
  const lower = text.toLowerCase()
  if (!TEXT_PATTERN.test(lower)) return undefined
  return Uint8Array.from(Buffer.from(lower.replaceAll('-', ''), 'hex'))
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function writeMs(id: Uint8Array, ms: number): void {
  invariant(ms >= 0 && ms < 2 ** 48, 'the wall clock fits 48 bits')
  const high = Math.floor(ms / 2 ** 32)
  id[0] = high >>> 8
  id[1] = high & 0xff
  id[2] = (ms >>> 24) & 0xff
  id[3] = (ms >>> 16) & 0xff
  id[4] = (ms >>> 8) & 0xff
  id[5] = ms & 0xff
}
