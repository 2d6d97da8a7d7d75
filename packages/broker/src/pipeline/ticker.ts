// Turns passing time into commands: due tasks, ended leases, housekeeping. Never two steps at once.

import type { Clock, Scheduler, Timer } from '@tq/core'
import { nextDue } from '../engine/decide-expire.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { Partition } from './partition.ts'
import type { Pipeline } from './pipeline.ts'

/** Longest pause between two looks at the clock: dead workers are found by looking. */
const TICK_MS_MAX = 500
const HOUSEKEEPING_MS = 1_000
/** A look that comes this much too late means that the process stood still. */
const STALL_MS = 1_000
/** Until the next look while requests wait for room in a commit, and time with them. */
const HELD_UP_LOOK_MS = 20
/** How old the tick clock on disk may get while nothing else is committed. */
const TICK_DURABLE_MS = 60_000

export interface TickerParts {
  readonly partition: Partition
  readonly pipeline: Pipeline
  readonly housekeeping: Housekeeping
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly onStall: (byMs: number) => void
}

export class Ticker {
  readonly #parts: TickerParts
  #timer: Timer | undefined
  #expectedAtMs = 0
  #housekeepingAtMs = 0
  #tickLsn = -1
  #tickAtMs = 0
  #isRunning = false

  constructor(parts: TickerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#isRunning = true
    const nowMs = this.#parts.clock.monotonicMs()
    this.#expectedAtMs = nowMs
    this.#housekeepingAtMs = nowMs + HOUSEKEEPING_MS
    this.#tickAtMs = nowMs + TICK_DURABLE_MS
    this.#schedule(0)
  }

  stop(): void {
    this.#isRunning = false
    this.#timer?.cancel()
  }

  #schedule(delayMs: number): void {
    if (!this.#isRunning) return
    this.#expectedAtMs = this.#parts.clock.monotonicMs() + delayMs
    this.#timer = this.#parts.scheduler.after(delayMs, () => this.#tick())
  }

  #tick(): void {
    if (!this.#isRunning) return
    const { clock, pipeline, onStall } = this.#parts
    const nowMs = clock.monotonicMs()
    const lateMs = Math.floor(nowMs - this.#expectedAtMs)
    if (lateMs >= STALL_MS) {
      pipeline.extendLeases(lateMs)
      onStall(lateMs)
    }
    const more = pipeline.expire()
    if (nowMs >= this.#housekeepingAtMs) {
      this.#housekeepingAtMs = nowMs + HOUSEKEEPING_MS
      this.#keepHouse(nowMs)
    }
    this.#schedule(more ? 0 : this.#untilNextMs())
  }

  #keepHouse(nowMs: number): void {
    const { partition, pipeline, housekeeping } = this.#parts
    // A failed read shows itself to whoever asks next; housekeeping simply tries again.
    void housekeeping.step().catch(() => undefined)
    if (nowMs < this.#tickAtMs) return
    this.#tickAtMs = nowMs + TICK_DURABLE_MS
    const lsn = partition.commits.durableLsn
    if (lsn === this.#tickLsn) pipeline.tick()
    this.#tickLsn = partition.commits.durableLsn
  }

  #untilNextMs(): number {
    const { partition, pipeline } = this.#parts
    if (pipeline.isHeldUp) return HELD_UP_LOOK_MS
    const due = nextDue(partition.state)
    const now = partition.now()
    const dueMs = Math.min(due.tickMs - now.tickMs, due.wallMs - now.wallMs)
    return Math.max(0, Math.min(TICK_MS_MAX, dueMs))
  }
}
