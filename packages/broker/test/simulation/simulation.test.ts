// Fifty worlds full of faults; each must keep every law, drain in peace, and repeat itself exactly.

import { describe, expect, it } from 'vitest'
import { runSimulation } from './simulation.ts'
import { SOMETIMES_POINTS, type SometimesPoint } from './sometimes.ts'

const SEEDS = 50
const STEPS = 2_000
/** It takes half a minute of CPU; a machine that is busy with other tests may take long for that. */
const PATIENCE_MS = 600_000

describe('the simulated broker', () => {
  it(
    'keeps every law in every world, and is led to every point',
    async () => {
      const points = new Set<SometimesPoint>()
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const result = await runSimulation({ seed, steps: STEPS })
        for (const point of result.points.keys()) points.add(point)
      }

      expect(SOMETIMES_POINTS.filter((point) => !points.has(point))).toEqual([])
    },
    PATIENCE_MS,
  )

  it(
    'does exactly the same again from the same seed',
    async () => {
      const first = await runSimulation({ seed: 7, steps: STEPS })
      const second = await runSimulation({ seed: 7, steps: STEPS })
      const other = await runSimulation({ seed: 8, steps: STEPS })

      expect(second.hash).toBe(first.hash)
      expect(other.hash).not.toBe(first.hash)
    },
    PATIENCE_MS,
  )
})
