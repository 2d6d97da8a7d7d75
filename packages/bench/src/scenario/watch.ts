// Watches a load from outside: its rate, the CPU of each part, and what the broker tells of itself.

import type { Exposition } from '../broker/exposition.ts'
import { cpuUsOf, machineCpuUs } from '../broker/process-usage.ts'
import type { Latency } from '../figure/latency-histogram.ts'
import type { Done } from '../load/load-message.ts'
import type { Figures } from './scenario.ts'
import type { Cast } from './stage.ts'

/** The timer by which Node measures the delays of its event loop, in ms: part of each delay it tells. */
const LOOP_TIMER_MS = 10

/** Runs a load, and tells its rate, the CPU that it took, and how the broker's commits went. */
export async function watched(
  cast: Cast,
  load: () => Promise<Done>,
): Promise<{ readonly done: Done; readonly rate: Figures; readonly broker: Figures }> {
  const toldBefore = await cast.broker.metrics()
  // After the question, and below before the next: what it costs to be asked is no part of the load.
  const before = reading(cast)
  const sinceMs = performance.now()
  const done = await load()
  const elapsedSeconds = (performance.now() - sinceMs) / 1_000
  const after = reading(cast)
  const told = await cast.broker.metrics()
  const { tasks } = done
  const seconds = (done.toUs - done.fromUs) / 1_000_000
  const brokerUs = after.brokerUs - before.brokerUs
  const clientUs = after.clientUs - before.clientUs
  const othersUs =
    after.machineUs - before.machineUs - brokerUs - clientUs - after.ownUs + before.ownUs
  const rate = {
    tasksPerSecond: tasks / seconds,
    brokerUsPerTask: brokerUs / tasks,
    clientUsPerTask: clientUs / tasks,
    foreignPercent: Math.max(0, othersUs / elapsedSeconds / 10_000),
  }
  const brokerMiB = cast.broker.memoryBytes() / 2 ** 20
  return { done, rate, broker: { ...commitFigures(toldBefore, told), brokerMiB } }
}

/** How the broker's commits went between two questions. */
export function commitFigures(before: Exposition, after: Exposition): Figures {
  const lagMs = after.sum('tq_nodejs_eventloop_lag_p99_seconds') * 1_000
  return {
    factsPerCommit: after.meanSince(before, 'tq_commit_facts'),
    commitP50Ms: after.quantileSince(before, 'tq_commit_duration_seconds', 0.5) * 1_000,
    commitP99Ms: after.quantileSince(before, 'tq_commit_duration_seconds', 0.99) * 1_000,
    loopDelayP99Ms: Math.max(0, lagMs - LOOP_TIMER_MS),
  }
}

/** The quantiles that are told of a latency, named by what it is of. */
export function latencyFigures(name: string, latency: Latency | undefined): Figures {
  if (latency === undefined || latency.count === 0) return {}
  return {
    [`${name}P50Ms`]: latency.p50Ms,
    [`${name}P99Ms`]: latency.p99Ms,
    [`${name}P999Ms`]: latency.p999Ms,
    [`${name}MaxMs`]: latency.maxMs,
  }
}

interface Reading {
  readonly brokerUs: number
  readonly clientUs: number
  readonly ownUs: number
  readonly machineUs: number
}

function reading({ broker, producer, worker }: Cast): Reading {
  const own = process.cpuUsage()
  return {
    brokerUs: broker.cpuUs(),
    clientUs: cpuUsOf(producer.pid) + cpuUsOf(worker.pid),
    ownUs: own.user + own.system,
    machineUs: machineCpuUs(),
  }
}
