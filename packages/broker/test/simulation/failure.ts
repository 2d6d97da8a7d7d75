// A broken law, with all that is needed to see it again.

import type { Plan } from './plan.ts'
import { replayLine } from './plan.ts'

export interface FailureParts {
  readonly plan: Plan
  /** What does not hold. */
  readonly law: string
  /** Number of the event in which it was seen. */
  readonly event: number
  /** The last lines of the trace, and the swarm. */
  readonly story: readonly string[]
}

export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure'
  readonly law: string
  readonly event: number

  constructor({ plan, law, event, story }: FailureParts, cause: unknown) {
    const again = `seed ${plan.seed}, event ${event}; see it again with: ${replayLine(plan)}`
    super([law, again, ...story].join('\n'), { cause })
    this.law = law
    this.event = event
  }

  /** The law without the ids and numbers of this run: two failures of a kind have the same. */
  get kind(): string {
    return kindOf(this.law)
  }
}

export function kindOf(law: string): string {
  const [first = ''] = law.split('\n')
  return first.replaceAll(/\b[0-9a-f]{6,}\b|[0-9.]+/g, '#')
}
