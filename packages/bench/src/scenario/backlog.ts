// Scenarios with tasks that wait: mixed load beside them, and urgent tasks that pass them.

import type { PlotPlan } from '../report/plot-plan.ts'
import { type LoadSettings, within } from './load-settings.ts'
import type { Measured, Scenario, Variant } from './scenario.ts'
import type { Stage } from './stage.ts'
import { mixed } from './throughput.ts'
import { latencyFigures } from './watch.ts'

/** Priority of tasks that pass all that wait with the default of 128. */
const URGENT = 200
/** A rate that the broker carries easily, so that latency is what is measured. */
const URGENT_PER_SECOND = 500
const SWEEP = [1_000, 10_000, 100_000, 1_000_000, 5_000_000]

export const backlogScenario: Scenario = {
  summary: 'mixed load, and urgent tasks, beside 10,000 and 1,000,000 that wait',
  isQuick: false,
  variants: (settings) => waitingVariants([10_000, 1_000_000], settings),
  measure,
}

export const backlogSweepScenario: Scenario = {
  summary: 'the same beside 1k, 10k, 100k, 1M and 5M',
  isQuick: false,
  variants: (settings) => waitingVariants(SWEEP, settings),
  measure,
  plots: sweepPlots(),
}

function waitingVariants(sizes: readonly number[], { waitingMax }: LoadSettings): Variant[] {
  return within(sizes, waitingMax).map((waiting) => {
    return { name: waiting.toLocaleString('en'), x: waiting, change: { waiting } }
  })
}

/** First the cycle of tasks in their turn, whose number stays; then urgent ones at a fixed rate. */
async function measure(stage: Stage): Promise<Measured> {
  await stage.fill(stage.settings.waiting)
  const { figures } = await mixed(stage)
  const urgent = stage.with({
    priority: URGENT,
    minPriority: URGENT,
    perSecond: URGENT_PER_SECOND,
    isStamped: true,
    // Workers leave what waits alone, by its priority.
    waiting: 0,
  })
  const { ack, start } = await urgent.staffed(() => urgent.arrivals())
  return {
    figures: {
      ...figures,
      ...latencyFigures('urgentAck', ack),
      ...latencyFigures('urgentStart', start),
    },
  }
}

function sweepPlots(): readonly PlotPlan[] {
  const x = { label: 'waiting tasks', isLogarithmic: true }
  return [
    {
      name: 'backlog-throughput',
      title: 'Throughput over waiting tasks',
      x,
      yLabel: 'tasks/s',
      lines: { tasksPerSecond: 'mixed load' },
    },
    {
      name: 'backlog-latency',
      title: 'Latency of an urgent task over waiting tasks',
      x,
      yLabel: 'ms',
      lines: { urgentStartP50Ms: 'to its handler, p50', urgentStartP99Ms: 'to its handler, p99' },
    },
  ]
}
