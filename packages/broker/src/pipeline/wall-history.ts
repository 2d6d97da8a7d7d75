// Where the wall clock stepped: so that what is kept for a while ages by the tick clock, though its
// moment is written in wall time. A clock that is set a day ahead by mistake must forget nothing.

import type { WallStep } from '../storage/wall-record.ts'

export interface Clocks {
  readonly wallMs: number
  readonly tickMs: number
}

/** The clocks are read in whole ms, and may be slewed apart: up to this is no step, but allowed for. */
const SLEW_MS_MAX = 100
/** Steps that are kept; each start after a pause is one. Beyond, the two oldest become one. */
const STEPS_MAX = 100

export class WallHistory {
  readonly #steps: { tickMs: number; aheadMs: number }[]
  /** The tick of the last look; the steps that were read are as old as can be. */
  #notedTickMs: number

  /** @param steps As stored, oldest first; what was before the first is taken to be like it. */
  constructor(steps: readonly WallStep[]) {
    this.#steps = steps.map((step) => ({ ...step }))
    this.#notedTickMs = steps.at(-1)?.tickMs ?? 0
  }

  get steps(): readonly WallStep[] {
    return this.#steps
  }

  /** Looks at the clocks; true if the wall clock has stepped, and the steps are to be stored. */
  note({ wallMs, tickMs }: Clocks): boolean {
    const lastNotedTickMs = this.#notedTickMs
    this.#notedTickMs = tickMs
    const aheadMs = wallMs - tickMs
    const last = this.#steps.at(-1)
    if (last === undefined) {
      this.#add({ tickMs, aheadMs })
      // Until there is a second one, the counters of the last commit tell as much.
      return false
    }
    const byMs = aheadMs - last.aheadMs
    if (Math.abs(byMs) <= SLEW_MS_MAX) return false
    if (byMs > 0) return this.#add({ tickMs, aheadMs })
    // It may have stepped right after the last look: what was written since has the new time.
    if (lastNotedTickMs > last.tickMs) return this.#add({ tickMs: lastNotedTickMs, aheadMs })
    last.aheadMs = aheadMs
    return true
  }

  /**
   * A moment of the wall clock: whatever was written under it or an earlier one is older than
   * `ageMs` by the tick clock. It is just before the earliest that the wall clock showed within it.
   */
  momentBefore(ageMs: number, nowTickMs: number): number {
    const fromTickMs = nowTickMs - ageMs
    let momentMs = Infinity
    for (const [index, { tickMs, aheadMs }] of this.#steps.entries()) {
      const endTickMs = this.#steps[index + 1]?.tickMs ?? Infinity
      if (endTickMs <= fromTickMs) continue
      const startTickMs = index === 0 ? fromTickMs : Math.max(tickMs, fromTickMs)
      momentMs = Math.min(momentMs, startTickMs + aheadMs)
    }
    return momentMs === Infinity ? -Infinity : momentMs - SLEW_MS_MAX
  }

  #add(step: WallStep): true {
    this.#steps.push({ ...step })
    const [first, second] = this.#steps
    if (this.#steps.length > STEPS_MAX && first !== undefined && second !== undefined) {
      // The earlier of two moments: what is kept longer than it must does no harm.
      second.aheadMs = Math.min(first.aheadMs, second.aheadMs)
      second.tickMs = first.tickMs
      this.#steps.shift()
    }
    return true
  }
}
