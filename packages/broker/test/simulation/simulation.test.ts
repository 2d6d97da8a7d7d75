// Worlds full of faults; each must keep every law, drain in peace, and repeat itself exactly.

import { describe, expect, it } from 'vitest'
import { RunParameters } from '../run-parameters.ts'
import { keptSeeds } from './kept-seeds.ts'
import { type Plan, planOf, replayLine } from './plan.ts'
import { runSimulation } from './simulation.ts'

/** It takes seconds of CPU; a machine that is busy with other tests may take long for that. */
const PATIENCE_MS = 600_000
const PLAN: Plan = { seed: 7, steps: 2_000, without: [] }

describe('the simulated broker', () => {
  it(
    'does exactly the same again from the same seed',
    async () => {
      const first = await runSimulation({ plan: PLAN })
      const second = await runSimulation({ plan: PLAN })
      const other = await runSimulation({ plan: { ...PLAN, seed: 8 } })

      expect(second.hash).toBe(first.hash)
      expect(other.hash).not.toBe(first.hash)
    },
    PATIENCE_MS,
  )

  it.each(keptSeeds())(
    'keeps what it broke once: seed $seed, $why',
    async (plan) => {
      await runSimulation({ plan })
    },
    PATIENCE_MS,
  )

  it('reads the line that repeats a run', () => {
    const plan: Plan = {
      ...PLAN,
      without: ['crash', 'late-frames'],
      producersMax: 1,
      workersMax: 2,
    }
    const line = replayLine(plan)
    const words = line.split(' ').slice(2)
    const environment = Object.fromEntries(words.map((word) => word.split('=')))

    expect(line).toBe('make sim SEED=7 STEPS=2000 WITHOUT=crash,late-frames PRODUCERS=1 WORKERS=2')
    expect(planOf(read(environment))).toEqual(plan)
  })

  it('names what cannot be left out', () => {
    expect(() => planOf(read({ WITHOUT: 'crash,rain' }))).toThrow(
      /^WITHOUT is "crash,rain"; it must be some of crash, /,
    )
  })
})

function read(environment: Readonly<Record<string, string>>): RunParameters {
  return new RunParameters(environment, (sentence) => {
    throw new Error(sentence)
  })
}
