// What was promised and what was kept: tasks by number, refusals by code, latencies.

import { createHistogram } from 'node:perf_hooks'
import { TqError } from '@tq/client'

const ACKED = 1
const DONE = 2

export class Ledger {
  /** A byte for each task by its number. */
  #marks = new Uint8Array(1 << 16)
  #numbers = 0
  acked = 0
  done = 0
  /** Enqueues whose outcome nobody knows. */
  unknown = 0
  /** Refusals that do not say when to come again though their code promises it. */
  wordless = 0
  readonly refusals: Record<string, number> = {}
  readonly #acks = createHistogram()

  /** A number for a new task. */
  next(): number {
    if (this.#numbers === this.#marks.length) {
      const larger = new Uint8Array(this.#marks.length * 2)
      larger.set(this.#marks)
      this.#marks = larger
    }
    this.#numbers += 1
    return this.#numbers - 1
  }

  noteAcked(numbers: readonly number[], ms: number): void {
    for (const number of numbers) this.#mark(number, ACKED)
    this.acked += numbers.length
    this.#acks.record(Math.max(1, Math.round(ms * 1_000)))
  }

  noteDone(number: number): void {
    if (this.#mark(number, DONE)) this.done += 1
  }

  noteRefused(error: unknown): void {
    const code = error instanceof TqError ? error.code : String(error)
    this.refusals[code] = (this.refusals[code] ?? 0) + 1
    if (code === 'TIMEOUT' || code === 'OUTCOME_UNKNOWN') this.unknown += 1
    const isFromBroker = error instanceof TqError && error.details['retryAfterMs'] !== undefined
    if (code === 'RESOURCE_EXHAUSTED' && !isFromBroker) this.wordless += 1
  }

  /** Tasks that were acknowledged and have not been done. */
  get owed(): number {
    let owed = 0
    for (let number = 0; number < this.#numbers; number += 1) {
      if (this.#marks[number] === ACKED) owed += 1
    }
    return owed
  }

  /** From the moment an enqueue was due until its answer, in ms. */
  ackMs(percentile: number): number {
    return this.#acks.count === 0 ? 0 : this.#acks.percentile(percentile) / 1_000
  }

  /** False if it was marked so before. */
  #mark(number: number, mark: number): boolean {
    const before = this.#marks[number] ?? 0
    this.#marks[number] = before | mark
    return (before & mark) === 0
  }
}
