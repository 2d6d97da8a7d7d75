// A run of the bench: scenarios and their variants, round by round, so that noise hits all alike.

import { BrokerProcess, type BrokerPlan } from '../broker/broker-process.ts'
import { LoadChild } from '../load/load-child.ts'
import type { Result } from '../report/result-file.ts'
import { type AskedSettings, type LoadSettings, loadSettings } from '../scenario/load-settings.ts'
import type { Scenario, Variant } from '../scenario/scenario.ts'
import { type Cast, Stage } from '../scenario/stage.ts'

export interface RunPlan {
  readonly scenarios: Readonly<Record<string, Scenario>>
  readonly rounds: number
  readonly asked: AskedSettings
  /** Tasks of mixed load before each measurement, so that compilers have done their work. */
  readonly warmUpTasks: number
  /** All measurements on one broker: quick, and no figure to be quoted. */
  readonly isReused: boolean
  /** Measured in turn, by name. */
  readonly brokers: Readonly<Record<string, BrokerPlan>>
  readonly onProgress: (line: string) => void
  /** Ends the run: load that is under way fails, and what was started is taken away. */
  readonly signal: AbortSignal
}

/** One place in a round. */
interface Turn {
  readonly scenarioName: string
  readonly scenario: Scenario
  readonly variant: Variant
  readonly settings: LoadSettings
  readonly brokerName: string
  readonly plan: BrokerPlan
}

const WARM_UP_ROUNDS = 2

export async function runBench(plan: RunPlan): Promise<readonly Result[]> {
  const results: Result[] = []
  const turns = turnsOf(plan)
  const kept = new Map<string, Cast>()
  let number = 0
  try {
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const turn of turns) {
        number += 1
        plan.onProgress(
          `${number}/${plan.rounds * turns.length} ${turn.scenarioName}: ${turn.variant.name}`,
        )
        const cast = kept.get(turn.brokerName) ?? (await castFor(turn.plan, plan))
        if (plan.isReused) kept.set(turn.brokerName, cast)
        const onAbort = (): void => void Promise.all([cast.producer.stop(), cast.worker.stop()])
        plan.signal.addEventListener('abort', onAbort)
        try {
          plan.signal.throwIfAborted()
          results.push(await measured(turn, cast, { round, number }))
        } finally {
          plan.signal.removeEventListener('abort', onAbort)
          if (!plan.isReused) await dismiss(cast)
        }
      }
    }
  } finally {
    for (const cast of kept.values()) await dismiss(cast)
  }
  return results
}

function turnsOf({ scenarios, asked, brokers }: RunPlan): readonly Turn[] {
  const standard = loadSettings(asked)
  return Object.entries(scenarios).flatMap(([scenarioName, scenario]) =>
    scenario.variants(standard).flatMap((variant) =>
      Object.entries(brokers).map(([brokerName, plan]) => {
        const settings = { ...standard, ...variant.change }
        return { scenarioName, scenario, variant, settings, brokerName, plan }
      }),
    ),
  )
}

async function castFor(brokerPlan: BrokerPlan, { asked, warmUpTasks }: RunPlan): Promise<Cast> {
  const broker = await BrokerProcess.make(brokerPlan)
  const cast = { broker, producer: new LoadChild(), worker: new LoadChild() }
  try {
    await broker.start()
    const settings = { ...loadSettings(asked), tasks: Math.ceil(warmUpTasks / WARM_UP_ROUNDS) }
    if (warmUpTasks > 0) {
      const stage = await Stage.set(cast, settings, 'warm-up')
      for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
        await stage.staffed(() => stage.mixed())
      }
    }
    return cast
  } catch (error) {
    await dismiss(cast)
    throw error
  }
}

async function measured(
  turn: Turn,
  cast: Cast,
  { round, number }: { readonly round: number; readonly number: number },
): Promise<Result> {
  const { scenarioName, scenario, variant, settings, brokerName } = turn
  const stage = await Stage.set(cast, settings, `bench-${number}`)
  const { tasks = settings.tasks, figures, samples } = await scenario.measure(stage)
  return {
    scenario: scenarioName,
    variant: variant.name,
    ...(variant.x === undefined ? {} : { x: variant.x }),
    broker: brokerName,
    round,
    tasks,
    figures,
    ...(samples === undefined ? {} : { samples }),
  }
}

async function dismiss({ producer, worker, broker }: Cast): Promise<void> {
  await Promise.all([producer.stop(), worker.stop()])
  await broker.remove()
}
