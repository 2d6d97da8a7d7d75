// Time that passes only when a test says so.

import type { Scheduler, Timer } from '@tq/core'

interface Waiting {
  readonly dueMs: number
  readonly callback: () => void
}

export class ManualScheduler implements Scheduler {
  #nowMs = 0
  readonly #waiting = new Set<Waiting>()

  get nowMs(): number {
    return this.#nowMs
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  after(delayMs: number, callback: () => void): Timer {
    const waiting = { dueMs: this.#nowMs + delayMs, callback }
    this.#waiting.add(waiting)
    return { cancel: () => void this.#waiting.delete(waiting) }
  }

  soon(callback: () => void): void {
    this.after(0, callback)
  }

  /** Calls what is due within this time, the earliest first. */
  pass(durationMs: number): void {
    const endMs = this.#nowMs + durationMs
    for (;;) {
      const due = [...this.#waiting].filter((waiting) => waiting.dueMs <= endMs)
      const first = due.sort((one, other) => one.dueMs - other.dueMs)[0]
      if (first === undefined) break
      this.#nowMs = first.dueMs
      this.#waiting.delete(first)
      first.callback()
    }
    this.#nowMs = endMs
  }
}
