// Which work arrives next: drawn from a seed, in the shape that the soak keeps up for hours.

import { OpaqueBytes, type TaskOptions } from '@tq/client'
import { SeededRandom } from '../simulation/seeded-random.ts'

export interface ArrivingTask {
  readonly type: TaskType
  readonly payload: OpaqueBytes
  readonly options: TaskOptions
}

/** One request of a producer. */
export interface Arrival {
  readonly queue: string
  readonly tasks: readonly ArrivingTask[]
  /** The tasks are called off as soon as they are acknowledged. */
  readonly isCancelled: boolean
}

/** noop: ends at once; slow: takes a while; flaky: fails once; doomed: fails until it is dead. */
export type TaskType = 'noop' | 'slow' | 'flaky' | 'doomed'

export const SOAK_QUEUES: readonly string[] = Array.from({ length: 32 }, (_, n) => `soak-${n}`)
/** Of those who come for a moment only. */
export const GUEST_QUEUE = 'guests'
/** Queues in use at a time; the window moves on, so that each queue falls empty again and again. */
const QUEUES_AT_ONCE = 8
const WINDOW_MS = 10_000

const PAYLOAD_BYTES = 1_024
/** Different payloads: enough that a block of the store does not compress to nothing. */
const PAYLOADS = 64
const BATCH_TASKS = 25
const SINGLE_SHARE = 0.5
/**
 * Different idempotency keys. The broker remembers a key for a day at least, so that only a bounded
 * set of them lets the store stop growing within the minutes of a soak.
 */
const IDEMPOTENCY_KEYS = 2_000
const RETRY = { kind: 'fixed', baseMs: 300 } as const
/** Tasks of an arrival on average. */
export const TASKS_PER_ARRIVAL: number = SINGLE_SHARE + (1 - SINGLE_SHARE) * BATCH_TASKS

export class Arrivals {
  readonly #random: SeededRandom
  readonly #payloads: readonly OpaqueBytes[]
  #keys = 0

  constructor(seed: number) {
    this.#random = new SeededRandom(seed, 'arrivals')
    // The same whatever the seed: an idempotency key must come with the same task in every run.
    const bytes = new SeededRandom(1, 'payloads')
    this.#payloads = Array.from(
      { length: PAYLOADS },
      () => new OpaqueBytes(bytes.bytes(PAYLOAD_BYTES)),
    )
  }

  next(nowMs: number): Arrival {
    if (!this.#random.happens(SINGLE_SHARE)) {
      const tasks = Array.from({ length: BATCH_TASKS }, () => this.#task())
      return { queue: this.#queue(nowMs), tasks, isCancelled: false }
    }
    if (this.#random.happens(0.1)) return this.#keyed()
    if (this.#random.happens(0.15)) {
      const task = { ...this.#task(), options: { delayMs: 2_000 } }
      return { queue: this.#queue(nowMs), tasks: [task], isCancelled: true }
    }
    return { queue: this.#queue(nowMs), tasks: [this.#task()], isCancelled: false }
  }

  /** The same key always comes with the same task, or the broker would refuse it. */
  #keyed(): Arrival {
    const key = this.#keys++ % IDEMPOTENCY_KEYS
    const payload = this.#payloads[key % PAYLOADS] as OpaqueBytes
    const options = { idempotencyKey: `key-${key}` }
    const queue = SOAK_QUEUES[key % SOAK_QUEUES.length] as string
    return { queue, tasks: [{ type: 'noop', payload, options }], isCancelled: false }
  }

  #task(): ArrivingTask {
    const payload = this.#random.pick(this.#payloads)
    const die = this.#random.between(0, 999)
    if (die < 40) return { type: 'noop', payload, options: { delayMs: this.#delayMs() } }
    if (die < 80) return { type: 'flaky', payload, options: { retry: RETRY } }
    if (die < 83) return { type: 'doomed', payload, options: { retry: RETRY, maxAttempts: 2 } }
    if (die < 100) return { type: 'slow', payload, options: {} }
    if (die < 200)
      return { type: 'noop', payload, options: { priority: this.#random.between(0, 255) } }
    return { type: 'noop', payload, options: {} }
  }

  #delayMs(): number {
    return this.#random.between(500, 10_000)
  }

  #queue(nowMs: number): string {
    const first = Math.floor(nowMs / WINDOW_MS) * QUEUES_AT_ONCE
    const index = (first + this.#random.between(0, QUEUES_AT_ONCE - 1)) % SOAK_QUEUES.length
    return SOAK_QUEUES[index] as string
  }
}
