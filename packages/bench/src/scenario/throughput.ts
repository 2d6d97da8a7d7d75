// Scenarios of closed loops: enqueue, drain, and both at once, in all their shapes.

import type { PlotPlan } from '../report/plot-plan.ts'
import { within } from './load-settings.ts'
import type { Figures, Measured, Scenario, Variant } from './scenario.ts'
import type { Stage } from './stage.ts'
import { latencyFigures, watched } from './watch.ts'

/** Payload bytes of one measurement at most: what is meant is the broker, not the size of the disk. */
const PAYLOAD_BYTES_MAX = 512 * 1024 * 1024
/** Slots of all workers together, where their number is what is varied. */
const SLOTS_IN_ALL = 256
const QUEUES_PER_WORKER = 100
const QUEUES = 1_000

const PLAIN: readonly Variant[] = [{ name: 'plain' }]

export const enqueueScenario: Scenario = {
  summary: 'enqueue alone: 500 a request; one call each, gathered by the SDK; one a request',
  isQuick: true,
  variants: () => [
    { name: 'batch' },
    { name: 'single', change: { batch: 1, outstanding: 64 } },
    { name: 'alone', change: { batch: 1, outstanding: 64, isAlone: true } },
  ],
  measure: async (stage) => {
    const { done, rate, broker } = await watched(stage, () => stage.enqueue())
    return { figures: { ...rate, ...latencyFigures('ack', done.ack), ...broker } }
  },
}

export const drainScenario: Scenario = {
  summary: 'claim and complete what waits',
  isQuick: true,
  variants: () => PLAIN,
  measure: async (stage) => {
    await stage.fill(stage.settings.tasks)
    return { figures: await drained(stage.with({ waiting: stage.settings.tasks })) }
  },
}

export const mixedScenario: Scenario = {
  summary: 'enqueue, claim and complete at once',
  isQuick: true,
  variants: () => PLAIN,
  measure: mixed,
}

export const prioritiesScenario: Scenario = {
  summary: 'ten priorities against none: enqueue, then drain',
  isQuick: false,
  variants: () => [{ name: 'none' }, { name: 'ten', change: { priorities: 10 } }],
  measure: async (stage) => {
    const enqueued = await watched(stage, () => stage.enqueue())
    const { tasksPerSecond, brokerUsPerTask } = await drained(
      stage.with({ waiting: stage.settings.tasks }),
    )
    return {
      figures: {
        enqueuedPerSecond: enqueued.rate['tasksPerSecond'] ?? 0,
        enqueueUsPerTask: enqueued.rate['brokerUsPerTask'] ?? 0,
        drainedPerSecond: tasksPerSecond ?? 0,
        drainUsPerTask: brokerUsPerTask ?? 0,
      },
    }
  },
}

export const payloadScenario: Scenario = {
  summary: 'mixed load with payloads of 0 B, 200 B, 4 KiB and 64 KiB',
  isQuick: false,
  variants: ({ tasks }) =>
    [0, 200, 4_096, 65_536].map((payloadBytes) => {
      const most = Math.floor(PAYLOAD_BYTES_MAX / Math.max(1, payloadBytes))
      const change = { payloadBytes, tasks: Math.min(tasks, most) }
      return { name: `${payloadBytes} B`, x: payloadBytes, change }
    }),
  measure: mixed,
}

export const connectionsScenario: Scenario = {
  summary: 'mixed load over 2, 100 and 2,000 connections, half of them producers, half workers',
  isQuick: false,
  variants: ({ connectionsMax }) =>
    within([2, 100, 2_000], connectionsMax).map((count) => {
      const connections = count / 2
      const concurrency = Math.max(1, Math.ceil(SLOTS_IN_ALL / connections))
      // As many tasks under way in all, however many connections they share.
      const outstanding = Math.max(1, Math.ceil(SLOTS_IN_ALL / connections))
      const change = { connections, concurrency, outstanding, batch: 1 }
      return { name: count.toLocaleString('en'), x: count, change }
    }),
  measure: mixed,
  plots: plotsOver('connections', 'connections'),
}

export const queuesScenario: Scenario = {
  summary: 'mixed load over one queue and over 1,000, ten tasks a request',
  isQuick: false,
  variants: () =>
    [1, QUEUES].map((queueCount) => {
      const change = { queueCount, batch: 10, connections: QUEUES / QUEUES_PER_WORKER }
      return { name: queueCount.toLocaleString('en'), x: queueCount, change }
    }),
  measure: mixed,
}

export const retriesScenario: Scenario = {
  summary: 'mixed load whose tasks never fail, and whose tasks each fail once',
  isQuick: false,
  variants: () => [{ name: 'none' }, { name: 'each once', change: { failures: 1 } }],
  measure: mixed,
}

export const retentionScenario: Scenario = {
  summary: 'mixed load with nothing kept, with the defaults, and with results of 200 B kept',
  isQuick: false,
  variants: () => [
    { name: 'nothing kept', change: { retentionCount: 0 } },
    { name: 'defaults', change: { retentionCount: undefined } },
    { name: 'with results', change: { retentionCount: undefined, resultBytes: 200 } },
  ],
  measure: async (stage) => {
    const { figures } = await mixed(stage)
    const diskBytesPerTask = stage.broker.diskBytes() / stage.settings.tasks
    return { figures: { ...figures, diskBytesPerTask } }
  },
}

/** Throughput and latency of acknowledgements, over the axis of the variants. */
function plotsOver(name: string, label: string): readonly PlotPlan[] {
  const x = { label, isLogarithmic: true }
  return [
    {
      name: `${name}-throughput`,
      title: `Throughput over ${label}`,
      x,
      yLabel: 'tasks/s',
      lines: { tasksPerSecond: 'mixed load' },
    },
    {
      name: `${name}-latency`,
      title: `Latency over ${label}`,
      x,
      yLabel: 'ms',
      lines: { ackP50Ms: 'acknowledgement, p50', ackP99Ms: 'acknowledgement, p99' },
    },
  ]
}

export async function mixed(stage: Stage): Promise<Measured> {
  const { done, rate, broker } = await stage.staffed(() => watched(stage, () => stage.mixed()))
  return { figures: { ...rate, ...latencyFigures('ack', done.ack), ...broker } }
}

async function drained(stage: Stage): Promise<Figures> {
  const { rate, broker } = await stage.staffed(() =>
    watched(stage, () => stage.drain(stage.settings.tasks)),
  )
  return { ...rate, ...broker }
}
