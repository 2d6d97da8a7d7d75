// Makes a failing run smaller: fewer kinds of faults, then fewer events, then fewer actors.

import { SimulationFailure } from './failure.ts'
import { ALL_OMISSIONS } from './omissions.ts'
import type { Plan } from './plan.ts'

export interface ShrinkParts {
  /** Runs a plan. @throws {SimulationFailure} */
  readonly run: (plan: Plan) => Promise<unknown>
  readonly nowMs: () => number
  /** Time for all of it. */
  readonly budgetMs: number
}

export interface Shrunk {
  readonly plan: Plan
  readonly failure: SimulationFailure
}

/** The smallest plan found that fails in the same way; the one given, if no smaller one does. */
export async function shrink(failed: Shrunk, parts: ShrinkParts): Promise<Shrunk> {
  return new Shrinking(failed, parts).run()
}

class Shrinking {
  readonly #parts: ShrinkParts
  readonly #kind: string
  readonly #endMs: number
  #best: Shrunk

  constructor(failed: Shrunk, parts: ShrinkParts) {
    this.#parts = parts
    this.#kind = failed.failure.kind
    this.#endMs = parts.nowMs() + parts.budgetMs
    this.#best = failed
  }

  async run(): Promise<Shrunk> {
    await this.#cutSteps()
    for (const omission of ALL_OMISSIONS) {
      const { without } = this.#best.plan
      if (!without.includes(omission)) await this.#try({ without: [...without, omission] })
    }
    await this.#bisectSteps()
    for (const count of [1, 2]) {
      if (await this.#try({ workersMax: count })) break
    }
    await this.#try({ producersMax: 1 })
    await this.#cutSteps()
    return this.#best
  }

  /** Nothing after the event in which it was seen has a part in it. */
  async #cutSteps(): Promise<void> {
    const { plan, failure } = this.#best
    if (failure.event < plan.steps) await this.#try({ steps: failure.event })
  }

  /** What is only seen in the peace may need fewer events before it. */
  async #bisectSteps(): Promise<void> {
    let tooFew = 0
    while (this.#best.plan.steps - tooFew > 20) {
      const steps = Math.floor((this.#best.plan.steps + tooFew) / 2)
      if (!(await this.#try({ steps }))) tooFew = steps
      if (this.#isOver) return
    }
  }

  get #isOver(): boolean {
    return this.#parts.nowMs() >= this.#endMs
  }

  async #try(change: Partial<Plan>): Promise<boolean> {
    if (this.#isOver) return false
    const plan: Plan = { ...this.#best.plan, ...change }
    try {
      await this.#parts.run(plan)
      return false
    } catch (error) {
      if (!(error instanceof SimulationFailure) || error.kind !== this.#kind) return false
      this.#best = { plan, failure: error }
      return true
    }
  }
}
