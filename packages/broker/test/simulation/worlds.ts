// The worlds that every change is tried in: a quarter of them to a file, so that they run side by side.

import { describe, expect, it } from 'vitest'
import { runSimulation } from './simulation.ts'
import { SOMETIMES_POINTS, type SometimesPoint } from './sometimes.ts'
import { VERBS } from './verbs.ts'

const SEEDS_PER_QUARTER = 75
const STEPS = 3_000
/** It takes half a minute of CPU; a machine that is busy with other tests may take long for that. */
const PATIENCE_MS = 900_000

/** Points that so few worlds may miss by chance; the long runs demand them all the same. */
const RARE: ReadonlySet<string> = new Set<SometimesPoint>([
  'a commit that ended as unknown had been applied',
  'a commit that ended as unknown had been lost',
  'a re-sent claim replaced its parked self',
  'a start was refused because of a damaged record',
  'a start was refused because of a hole',
  'a start was refused because of a lost tail',
  'a start was refused because of a torn tail',
  'a stall of the broker extended the leases',
  'a task failed too often',
  'a task lost its worker too often',
  'a worker stopped in good order',
  'housekeeping forgot an idempotency key',
  'requests waited for room in a commit',
  'the broker crashed while it recovered',
  'the broker gave up a peer that does not read',
  'the broker gave up a silent peer',
  'the broker gave up half a frame',
])

export function tryWorlds(quarter: number): void {
  const first = (quarter - 1) * SEEDS_PER_QUARTER + 1
  const last = quarter * SEEDS_PER_QUARTER
  describe(`the worlds from seed ${first} to ${last}`, () => {
    it(
      'keep every law, use every verb, and lead to every point',
      async () => {
        const reached = new Set<string>()
        for (let seed = first; seed <= last; seed += 1) {
          const { points, verbs } = await runSimulation({
            plan: { seed, steps: STEPS, without: [] },
          })
          for (const name of [...points.keys(), ...verbs.keys()]) reached.add(name)
        }

        const expected = [...SOMETIMES_POINTS.filter((point) => !RARE.has(point)), ...VERBS]
        expect(expected.filter((name) => !reached.has(name))).toEqual([])
      },
      PATIENCE_MS,
    )
  })
}
