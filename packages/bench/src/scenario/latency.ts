// Scenarios of open loops and of lone tasks: how long a task takes, at rates that can be carried.

import type { Measured, Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'
import { shapeOf } from './load-settings.ts'
import { latencyFigures, watched } from './watch.ts'

/** Lone tasks of one measurement at most; each takes about a millisecond. */
const ROUNDS_MAX = 2_000
const DELAY_MS = 1_000

export const latencyScenario: Scenario = {
  summary: 'unloaded: one task at a time, to its acknowledgement and to its handler',
  isQuick: true,
  variants: () => [{ name: 'plain' }],
  measure: async (stage) => {
    const rounds = Math.min(ROUNDS_MAX, stage.settings.tasks)
    const shape = shapeOf(stage.settings)
    const load = { kind: 'latency', rounds, shape } as const
    const { done, rate } = await watched(stage, () => stage.worker.run(load))
    const { brokerUsPerTask = 0, foreignPercent = 0 } = rate
    return {
      tasks: rounds,
      figures: {
        ...latencyFigures('start', done.start),
        ...latencyFigures('ack', done.ack),
        brokerUsPerTask,
        foreignPercent,
      },
    }
  },
}

export const rateScenario: Scenario = {
  summary: 'open loop at 500 and 2,000 tasks/s, latencies from the moment a task was due',
  isQuick: true,
  variants: () =>
    [500, 2_000].map((perSecond) => {
      return { name: `${perSecond.toLocaleString('en')}/s`, x: perSecond, change: { perSecond } }
    }),
  measure: arrivals,
}

export const delaysScenario: Scenario = {
  summary: 'open loop at 2,000 tasks/s, at once and with a delay of 1 s; start counts after it',
  isQuick: false,
  variants: () => [{ name: 'none' }, { name: '1 s', change: { delayMs: DELAY_MS } }],
  measure: arrivals,
}

async function arrivals(plain: Stage): Promise<Measured> {
  const stage = plain.with({ isStamped: true })
  const { done, rate, broker } = await stage.staffed(() => watched(stage, () => stage.arrivals()))
  const { brokerUsPerTask = 0, clientUsPerTask = 0, foreignPercent = 0 } = rate
  return {
    tasks: done.tasks,
    figures: {
      ...latencyFigures('start', done.start),
      ...latencyFigures('ack', done.ack),
      ...latencyFigures('late', done.late),
      brokerUsPerTask,
      clientUsPerTask,
      foreignPercent,
      ...broker,
    },
  }
}
