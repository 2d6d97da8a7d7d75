// Time that stands still until a test moves it.

import type { Clock, Scheduler, Timer } from '@tq/core'

interface Alarm {
  readonly atMs: number
  readonly callback: () => void
}

export class ManualTime implements Clock, Scheduler {
  #nowMs = 1_000
  readonly #alarms = new Set<Alarm>()

  monotonicMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs
  }

  get alarmCount(): number {
    return this.#alarms.size
  }

  after(delayMs: number, callback: () => void): Timer {
    const alarm = { atMs: this.#nowMs + delayMs, callback }
    this.#alarms.add(alarm)
    // What is due at once happens without the test's help, as it would with a real timer.
    if (delayMs === 0) setImmediate(() => this.#ring(alarm))
    return { cancel: () => void this.#alarms.delete(alarm) }
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  /** Moves the clock and runs what comes due on the way, in order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const due = [...this.#alarms].filter((alarm) => alarm.atMs <= endMs)
      const next = due.toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.#ring(next)
    }
    this.#nowMs = endMs
  }

  /** Moves the clock without running anything: the loop was busy meanwhile. */
  stall(ms: number): void {
    this.#nowMs += ms
  }

  #ring(alarm: Alarm): void {
    if (this.#alarms.delete(alarm)) alarm.callback()
  }
}
