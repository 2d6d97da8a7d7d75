// The table of live tasks: 104 bytes a task, named access to its fields.

import { TASK_ID_BYTES, TASK_STATES, type TaskState, stateOfCode, type TaskIdBytes } from '@tq/core'
import { NO_ROW, type Row, Rows } from './rows.ts'

// 32-bit words of a row. Word 0 to 3 are the id.
const STATE_PRIORITY_FLAGS = 4
const PROFILE = 5
/** Place in the ready lane or in the heap of due times; a held task stands in neither. */
export const PLACE_WORD = 6
/** Place in the heap of times to live. */
export const EXPIRY_PLACE_WORD = 7
const LEASE = 8
const FAILURES_LOSSES = 9
const CHAPTERS = 10
const PAYLOAD_BYTES = 11
const TIMEOUT_MS = 12
const GENERATION = 13
// Doubles of a row, after the words.
export const SEQUENCE_DOUBLE = 7
const RANK_BASE_MS = 8
const DUE_AT = 9
const EXPIRES_AT_MS = 10
const CREATED_AT_MS = 11
const PAYLOAD_POSITION = 12
const WORDS = 26

/** Flags of a task; bits of one byte. */
export const FLAG_CANCEL_REQUESTED = 1
/** The row differs from what the last commit holds. */
export const FLAG_DIRTY = 2
/** The task was enqueued in the commit that is being gathered. */
export const FLAG_BORN = 4
/** The task came with an idempotency key. */
export const FLAG_KEYED = 8
/** The task was purged: nothing of it is kept, whatever the queue's retention is. */
export const FLAG_PURGED = 16

const STATE_CODES = Object.fromEntries(
  Object.entries(TASK_STATES).map(([name, entry]) => [name, entry.code]),
) as Record<TaskState, number>

export class TaskTable {
  readonly rows: Rows

  constructor(capacity: number) {
    this.rows = new Rows({ words: WORDS, capacity })
  }

  get count(): number {
    return this.rows.count
  }

  acquire(id: TaskIdBytes): Row {
    const row = this.rows.acquire()
    const base = row * WORDS
    for (let word = 0; word < 4; word += 1) this.rows.u32[base + word] = wordOfId(id, word)
    this.rows.u32[base + LEASE] = NO_ROW
    return row
  }

  release(row: Row): void {
    this.rows.release(row)
  }

  /** True if the row is in use: released rows have state 0. */
  isUsed(row: Row): boolean {
    return ((this.rows.u32[row * WORDS + STATE_PRIORITY_FLAGS] as number) & 0xff) !== 0
  }

  id(row: Row): TaskIdBytes {
    const id = new Uint8Array(TASK_ID_BYTES)
    this.writeId(row, id, 0)
    return id
  }

  writeId(row: Row, target: Uint8Array, at: number): void {
    const base = row * WORDS
    for (let word = 0; word < 4; word += 1) {
      const value = this.rows.u32[base + word] as number
      const to = at + word * 4
      target[to] = value & 0xff
      target[to + 1] = (value >>> 8) & 0xff
      target[to + 2] = (value >>> 16) & 0xff
      target[to + 3] = value >>> 24
    }
  }

  idWord(row: Row, word: number): number {
    return this.rows.u32[row * WORDS + word] as number
  }

  state(row: Row): TaskState {
    return stateOfCode(this.stateCode(row)) as TaskState
  }

  stateCode(row: Row): number {
    return (this.rows.u32[row * WORDS + STATE_PRIORITY_FLAGS] as number) & 0xff
  }

  setState(row: Row, state: TaskState): void {
    this.#setByte(row, 0, STATE_CODES[state])
  }

  priority(row: Row): number {
    return ((this.rows.u32[row * WORDS + STATE_PRIORITY_FLAGS] as number) >>> 8) & 0xff
  }

  setPriority(row: Row, priority: number): void {
    this.#setByte(row, 8, priority)
  }

  hasFlag(row: Row, flag: number): boolean {
    return (this.flags(row) & flag) !== 0
  }

  flags(row: Row): number {
    return ((this.rows.u32[row * WORDS + STATE_PRIORITY_FLAGS] as number) >>> 16) & 0xff
  }

  setFlag(row: Row, flag: number): void {
    this.#setByte(row, 16, this.flags(row) | flag)
  }

  clearFlag(row: Row, flag: number): void {
    this.#setByte(row, 16, this.flags(row) & ~flag)
  }

  /** Number of the task's profile. */
  profile(row: Row): number {
    return this.rows.u32[row * WORDS + PROFILE] as number
  }

  setProfile(row: Row, profile: number): void {
    this.rows.u32[row * WORDS + PROFILE] = profile
  }

  /** Row of the task's lease, or NO_ROW. */
  lease(row: Row): Row {
    return this.rows.u32[row * WORDS + LEASE] as number
  }

  setLease(row: Row, lease: Row): void {
    this.rows.u32[row * WORDS + LEASE] = lease
  }

  failures(row: Row): number {
    return (this.rows.u32[row * WORDS + FAILURES_LOSSES] as number) & 0xffff
  }

  losses(row: Row): number {
    return (this.rows.u32[row * WORDS + FAILURES_LOSSES] as number) >>> 16
  }

  setFailuresAndLosses(row: Row, failures: number, losses: number): void {
    this.rows.u32[row * WORDS + FAILURES_LOSSES] = failures | (losses << 16)
  }

  /** 1 + failures + losses: the number of the attempt that runs or comes next. */
  attempt(row: Row): number {
    return 1 + this.failures(row) + this.losses(row)
  }

  /** Chapters of history written so far. */
  chapters(row: Row): number {
    return this.rows.u32[row * WORDS + CHAPTERS] as number
  }

  setChapters(row: Row, chapters: number): void {
    this.rows.u32[row * WORDS + CHAPTERS] = chapters
  }

  payloadBytes(row: Row): number {
    return this.rows.u32[row * WORDS + PAYLOAD_BYTES] as number
  }

  setPayloadBytes(row: Row, bytes: number): void {
    this.rows.u32[row * WORDS + PAYLOAD_BYTES] = bytes
  }

  timeoutMs(row: Row): number {
    return this.rows.u32[row * WORDS + TIMEOUT_MS] as number
  }

  setTimeoutMs(row: Row, timeoutMs: number): void {
    this.rows.u32[row * WORDS + TIMEOUT_MS] = timeoutMs
  }

  /** How often the task has been redriven. */
  generation(row: Row): number {
    return this.rows.u32[row * WORDS + GENERATION] as number
  }

  setGeneration(row: Row, generation: number): void {
    this.rows.u32[row * WORDS + GENERATION] = generation
  }

  /** Number of the enqueue: first in, first out among equals. */
  sequence(row: Row): number {
    return this.rows.f64[row * (WORDS / 2) + SEQUENCE_DOUBLE] as number
  }

  setSequence(row: Row, sequence: number): void {
    this.rows.f64[row * (WORDS / 2) + SEQUENCE_DOUBLE] = sequence
  }

  rankBaseMs(row: Row): number {
    return this.rows.f64[row * (WORDS / 2) + RANK_BASE_MS] as number
  }

  setRankBaseMs(row: Row, rankBaseMs: number): void {
    this.rows.f64[row * (WORDS / 2) + RANK_BASE_MS] = rankBaseMs
  }

  /** When a task becomes ready: wall ms if scheduled, tick ms if retrying. */
  dueAt(row: Row): number {
    return this.rows.f64[row * (WORDS / 2) + DUE_AT] as number
  }

  setDueAt(row: Row, dueAt: number): void {
    this.rows.f64[row * (WORDS / 2) + DUE_AT] = dueAt
  }

  /** Wall ms at which a task that was not started expires; 0 for never. */
  expiresAtMs(row: Row): number {
    return this.rows.f64[row * (WORDS / 2) + EXPIRES_AT_MS] as number
  }

  setExpiresAtMs(row: Row, expiresAtMs: number): void {
    this.rows.f64[row * (WORDS / 2) + EXPIRES_AT_MS] = expiresAtMs
  }

  createdAtMs(row: Row): number {
    return this.rows.f64[row * (WORDS / 2) + CREATED_AT_MS] as number
  }

  setCreatedAtMs(row: Row, createdAtMs: number): void {
    this.rows.f64[row * (WORDS / 2) + CREATED_AT_MS] = createdAtMs
  }

  /** Where the payload record begins in the payload cache, plus one; 0 if it was never there. */
  payloadPosition(row: Row): number {
    return this.rows.f64[row * (WORDS / 2) + PAYLOAD_POSITION] as number
  }

  setPayloadPosition(row: Row, position: number): void {
    this.rows.f64[row * (WORDS / 2) + PAYLOAD_POSITION] = position
  }

  #setByte(row: Row, shift: number, value: number): void {
    const at = row * WORDS + STATE_PRIORITY_FLAGS
    const word = this.rows.u32[at] as number
    this.rows.u32[at] = (word & ~(0xff << shift)) | (value << shift)
  }
}

/** Word 0 to 3 of an id, the same on every machine. */
export function wordOfId(id: Uint8Array, word: number): number {
  const at = word * 4
  return (
    ((id[at] as number) |
      ((id[at + 1] as number) << 8) |
      ((id[at + 2] as number) << 16) |
      ((id[at + 3] as number) << 24)) >>>
    0
  )
}
