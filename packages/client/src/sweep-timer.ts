// One timer for many deadlines: a timer of their own for each would cost more than the requests.

import type { Clock, Scheduler, Timer } from '@tq/core'

/** Node's timers overflow beyond 2^31 ms; a sweep that finds nothing due costs nothing. */
const DELAY_MS_MAX = 3_600_000

/** Calls `sweep` at the earliest deadline it was told of; `sweep` answers with the next one. */
export class SweepTimer {
  readonly #clock: Clock
  readonly #scheduler: Scheduler
  readonly #sweep: (nowMs: number) => number
  #timer: Timer | undefined
  #atMs = Infinity

  /** @param sweep Ends what is due and returns the earliest deadline left, or Infinity. */
  constructor(
    time: { readonly clock: Clock; readonly scheduler: Scheduler },
    sweep: (nowMs: number) => number,
  ) {
    this.#clock = time.clock
    this.#scheduler = time.scheduler
    this.#sweep = sweep
  }

  /** Makes sure that a sweep happens at `atMs` of the monotonic clock, or before. */
  arm(atMs: number): void {
    if (atMs >= this.#atMs) return
    this.#timer?.cancel()
    this.#atMs = atMs
    const delayMs = Math.max(0, atMs - this.#clock.monotonicMs())
    this.#timer = this.#scheduler.after(Math.min(DELAY_MS_MAX, Math.ceil(delayMs)), () => {
      this.#timer = undefined
      this.#atMs = Infinity
      this.arm(this.#sweep(this.#clock.monotonicMs()))
    })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#atMs = Infinity
  }
}
