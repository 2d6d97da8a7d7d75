// A run of chaos: round after round on one data directory, until enough was killed.

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokerKeeper } from './broker-keeper.ts'
import { bundleClients } from './client-bundle.ts'
import { type RoundPlan, type RoundReport, runRound } from './round.ts'

export interface ChaosPlan extends Pick<
  RoundPlan,
  'seed' | 'producers' | 'workers' | 'adversaries' | 'tasksPerSecond' | 'chaosMs' | 'tell'
> {
  /** For the data directory and the histories; those that broke a law are left there. */
  readonly directory: string
  /** SIGKILLs of brokers and workers in all, and in a round. */
  readonly kills: number
  readonly killsPerRound: number
  /** Rounds go on until so many operations were acknowledged, too. */
  readonly operations: number
}

/** Gives the report of each round as it ends; the first that broke a law is the last. */
export async function* chaos(plan: ChaosPlan): AsyncGenerator<RoundReport> {
  const bundleDirectory = join(plan.directory, 'bundle')
  await mkdir(bundleDirectory, { recursive: true })
  const bundle = await bundleClients(bundleDirectory)
  const broker = new BrokerKeeper(join(plan.directory, 'data'))
  let killed = 0
  let acknowledged = 0
  for (let number = 1; killed < plan.kills || acknowledged < plan.operations; number += 1) {
    const kills = plan.killsPerRound
    const report = await runRound({ ...plan, number, broker, bundle, kills })
    killed += report.kills
    acknowledged += report.acknowledged
    yield report
    if (report.violations.length > 0 || report.kills === 0) return
    await rm(report.histories, { recursive: true, force: true })
  }
}
