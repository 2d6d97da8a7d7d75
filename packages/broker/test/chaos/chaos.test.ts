// T8, the short version: half a minute of chaos with real processes, then every history is checked.

import { expect, it } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { chaos } from './chaos.ts'

const SEED = Number(process.env['SEED'] ?? 8)
const CHAOS_MS = 25_000
const RUN_MS = 240_000

it(
  `T8: nothing acknowledged is lost, however often processes are killed (SEED=${SEED})`,
  async () => {
    const directory = await temporaryDirectory()
    const plan = {
      directory,
      seed: SEED,
      kills: 1_000,
      killsPerRound: 1_000,
      operations: 0,
      chaosMs: CHAOS_MS,
      producers: 2,
      workers: 3,
      adversaries: 1,
      tasksPerSecond: 1_500,
      tell: () => undefined,
    }
    const { value: report } = await chaos(plan).next()
    expect(report?.violations.slice(0, 5)).toEqual([])
    expect(report?.kills).toBeGreaterThan(3)
    expect(report?.acknowledged).toBeGreaterThan(1_000)
  },
  RUN_MS,
)
