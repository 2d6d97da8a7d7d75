// The worlds that every change is tried in, in processes of their own, from one bundled file.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { bundle } from '../bundle.ts'
import { Fleet } from './fleet.ts'
import { Tally } from './tally.ts'

const CHILD = fileURLToPath(new URL('../children/simulation-child.ts', import.meta.url))
const SEEDS = 300
const STEPS = 5_000
/** The first of them run twice, and must do the same. */
const DOUBLES = 5
const JOBS = 2
const SHRINK_MS = 20_000
/** It takes a minute or two of CPU; a machine that is busy with other tests may take long for that. */
const PATIENCE_MS = 900_000

it(
  `keeps every law in the worlds from seed 1 to ${SEEDS}, uses every verb and gets to every point`,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tq-worlds-'))
    try {
      const tally = new Tally(SEEDS)
      const failures: string[] = []
      let seed = 0
      const fleet = new Fleet({
        script: await bundle(CHILD, directory),
        jobs: JOBS,
        next: () => {
          seed += 1
          if (seed > SEEDS) return undefined
          const plan = { seed, steps: STEPS, without: [] }
          return { plan, isDouble: seed <= DOUBLES, shrinkMs: SHRINK_MS }
        },
        onOutcome: (outcome) => {
          tally.add(outcome)
          if (outcome.failure !== undefined) failures.push(outcome.failure.text)
        },
      })
      await fleet.run()

      expect(failures).toEqual([])
      expect(tally.missing).toEqual([])
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  PATIENCE_MS,
)
