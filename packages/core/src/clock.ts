// Time and chance as values: interfaces, and the system's own. The only reader of real time.

import { randomFillSync } from 'node:crypto'

export interface Clock {
  /** Whole ms since the Unix epoch. May step backwards: never subtract two readings. */
  wallMs(): number
  /** Ms of a clock that never steps back. Its zero means nothing. */
  monotonicMs(): number
}

/** A timer that has been set; `cancel` is safe after it fired. */
export interface Timer {
  cancel(): void
}

export interface Scheduler {
  /** Runs `callback` once, about `delayMs` from now. */
  after(delayMs: number, callback: () => void): Timer
  /** Runs `callback` once, when the events at hand have been dealt with. */
  soon(callback: () => void): void
}

export interface Random {
  /** A number in [0, 1). */
  chance(): number
  fill(bytes: Uint8Array): void
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}

export const systemScheduler: Scheduler = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
  soon(callback) {
    setImmediate(callback)
  },
}

export const systemRandom: Random = {
  chance: () => Math.random(),
  fill: (bytes) => void randomFillSync(bytes),
}
