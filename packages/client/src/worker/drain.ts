// Waits until a worker's tasks have ended, up to a deadline that may come nearer meanwhile.

import type { Clock, Scheduler, Timer } from '@tq/core'

export class Drain {
  readonly #time: { readonly clock: Clock; readonly scheduler: Scheduler }
  readonly #isDone: () => boolean
  #timer: Timer | undefined
  #endAtMs = Infinity
  #resolve: (() => void) | undefined

  constructor(
    time: { readonly clock: Clock; readonly scheduler: Scheduler },
    isDone: () => boolean,
  ) {
    this.#time = time
    this.#isDone = isDone
  }

  /** Resolves when done or at the deadline, whatever comes first. */
  wait(deadlineMs: number): Promise<void> {
    this.hurry(deadlineMs)
    return new Promise((resolve) => {
      this.#resolve = () => {
        this.#timer?.cancel()
        this.#timer = undefined
        this.#endAtMs = Infinity
        this.#resolve = undefined
        resolve()
      }
      this.check()
    })
  }

  /** Brings the deadline nearer. */
  hurry(deadlineMs: number): void {
    const endAtMs = this.#time.clock.monotonicMs() + deadlineMs
    if (endAtMs >= this.#endAtMs) return
    this.#endAtMs = endAtMs
    this.#timer?.cancel()
    this.#timer = this.#time.scheduler.after(deadlineMs, () => this.#resolve?.())
  }

  /** Something may have ended. */
  check(): void {
    if (this.#isDone()) this.#resolve?.()
  }
}
