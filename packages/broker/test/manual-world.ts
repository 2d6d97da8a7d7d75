// A world whose time passes only when a test says so; disk and sockets are real.

import { type Clock, systemRandom, systemScheduler } from '@tq/core'
import type { World } from '../src/pipeline/partition.ts'
import { ManualScheduler } from './manual-scheduler.ts'

const WALL_START_MS = Date.UTC(2026, 10, 20)

export class ManualWorld implements World {
  readonly #timers = new ManualScheduler()
  #stalledMs = 0

  readonly random = systemRandom
  readonly clock: Clock = {
    wallMs: () => WALL_START_MS + this.#nowMs,
    monotonicMs: () => this.#nowMs,
  }
  /** What is to happen soon is no matter of time. */
  readonly scheduler = {
    after: this.#timers.after.bind(this.#timers),
    soon: systemScheduler.soon,
  }

  /** Timers that somebody has set. */
  get timerCount(): number {
    return this.#timers.waitingCount
  }

  pass(durationMs: number): void {
    this.#timers.pass(durationMs)
  }

  /** Time passes, and nothing runs: timers come too late. */
  standStill(durationMs: number): void {
    this.#stalledMs += durationMs
  }

  get #nowMs(): number {
    return this.#timers.nowMs + this.#stalledMs
  }
}
