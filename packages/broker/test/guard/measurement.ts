// One measurement of the guard: broker and reference in turn, round by round, and their ratios.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cost, costOf } from './cost.ts'
import { GuardedBroker } from './guarded-broker.ts'
import { type PlantName, PLANTS } from './plant.ts'
import { ReferenceWork } from './reference-work.ts'

/** The broker's cost of a task, by that of a unit of the reference in the same run. */
export interface Ratios {
  readonly cpu: number
  readonly heap: number
}

/** Many short ones: what disturbs the machine for a moment hits both, or few of them. */
const ROUNDS = 16
const TASKS_PER_ROUND = 1_000
/** Until compilers have seen everything. */
const WARM_UP_TASKS = 6_000

export async function measureRatios(plant: PlantName): Promise<Ratios> {
  const directory = mkdtempSync(join(tmpdir(), 'tq-guard-'))
  try {
    return await measuredIn(directory, plant)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measuredIn(directory: string, plant: PlantName): Promise<Ratios> {
  const broker = await GuardedBroker.open(directory, PLANTS[plant])
  const reference = new ReferenceWork(join(directory, 'reference'))
  try {
    await broker.run(WARM_UP_TASKS, () => undefined)
    reference.run(WARM_UP_TASKS, () => undefined)
    const rounds: { readonly broker: Cost; readonly reference: Cost }[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.push({
        reference: await costOf((onWave) => reference.run(TASKS_PER_ROUND, onWave)),
        broker: await costOf((onWave) => broker.run(TASKS_PER_ROUND, onWave)),
      })
    }
    return {
      cpu: median(rounds.map((round) => round.broker.cpuUs / round.reference.cpuUs)),
      heap: median(rounds.map((round) => round.broker.heapBytes / round.reference.heapBytes)),
    }
  } finally {
    reference.close()
    await broker.close()
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN
}
