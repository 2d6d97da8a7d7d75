// What the wall clock of the broker showed, moment by moment of true time.

/** From some moment between `afterMs` and `beforeMs` on, it was so much ahead of the true one. */
interface Stretch {
  readonly afterMs: number
  readonly beforeMs: number
  readonly aheadMs: number
}

export interface Window {
  readonly earliestMs: number
  readonly latestMs: number
}

/** The broker looks at its clock twice a second; what is over sooner may go unseen. */
const SEEN_MS = 700

/** Moments are those of `performance.now()`. */
export class Timeline {
  readonly #originMs = Date.now() - performance.now()
  readonly #stretches: Stretch[]

  constructor(aheadMs: number) {
    this.#stretches = [{ afterMs: 0, beforeMs: 0, aheadMs }]
  }

  stepped(stretch: Stretch): void {
    this.#stretches.push(stretch)
  }

  /** Between which moments a broker has to see that its wall clock has come to `wallMs`. */
  reached(wallMs: number): Window {
    let earliestMs = Infinity
    let latestMs = Infinity
    for (const [index, { afterMs, beforeMs, aheadMs }] of this.#stretches.entries()) {
      const next = this.#stretches[index + 1]
      const dueMs = wallMs - aheadMs - this.#originMs
      const firstMs = Math.max(afterMs, dueMs)
      if (firstMs < (next?.beforeMs ?? Infinity)) earliestMs = Math.min(earliestMs, firstMs)
      const surelyMs = Math.max(beforeMs, dueMs)
      if ((next?.afterMs ?? Infinity) - surelyMs >= SEEN_MS) latestMs = Math.min(latestMs, surelyMs)
    }
    return { earliestMs, latestMs }
  }

  /** The first step, as far as true time can tell. */
  get firstStepMs(): number {
    return this.#stretches[1]?.afterMs ?? Infinity
  }
}
