// The scenario that goes on: mixed load for minutes, compactions included, and whether it slows down.

import { setTimeout as pause } from 'node:timers/promises'
import type { Exposition } from '../broker/exposition.ts'
import { medianOf } from '../figure/runs.ts'
import { slopeOf } from '../figure/slope.ts'
import type { LoadAnswer } from '../load/load-message.ts'
import { shapeOf, streamsOf } from './load-settings.ts'
import type { Figures, Measured, Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'
import { commitFigures, latencyFigures } from './watch.ts'

/** Samples of one run, about: enough for a slope, and for a plot. */
const SAMPLES = 120
const SAMPLE_SECONDS_MIN = 0.2
/** Tasks that may wait before the producers are held back. */
const WAITING_MAX = 20_000

export const steadyScenario: Scenario = {
  summary: 'mixed load for --minutes, and how its throughput moves',
  isQuick: false,
  variants: () => [{ name: 'plain' }],
  measure: (stage) => stage.staffed(() => steady(stage)),
  plots: [
    {
      name: 'steady-throughput',
      title: 'Throughput over time, mixed load',
      x: { label: 'minutes', isLogarithmic: false },
      yLabel: 'tasks/s',
      lines: { tasksPerSecond: 'completed' },
      over: 'minutes',
    },
    {
      name: 'steady-latency',
      title: 'Latency over time, mixed load',
      x: { label: 'minutes', isLogarithmic: false },
      yLabel: 'ms',
      lines: { ackP99Ms: 'acknowledgement, p99', commitP99Ms: 'commit, p99' },
      over: 'minutes',
    },
  ],
}

async function steady(stage: Stage): Promise<Measured> {
  const { settings, producer, worker } = stage
  const seconds = settings.minutes * 60
  const [shape, streams] = [shapeOf(settings), streamsOf(settings)]
  const stopped = new AbortController()
  const stream = { kind: 'stream', seconds, waitingMax: WAITING_MAX, shape, streams } as const
  const produced = producer.run(stream)
  const drained = worker.run({ kind: 'drain' })
  // Whoever fails first is heard of below; until one ends the samples go on.
  for (const part of [produced, drained]) {
    void part.catch(() => undefined).then(() => stopped.abort())
  }
  const samples = await sampled(stage, stopped.signal)
  // Workers end only when they are told to, or when one fails.
  const { tasks } = await Promise.race([produced, drained])
  await worker.order({ kind: 'drain-until', tasks })
  await drained
  if (samples.length === 0) throw new Error('the run was too short for a sample; give it --minutes')
  return { tasks, figures: trendOf(samples), samples }
}

async function sampled(stage: Stage, signal: AbortSignal): Promise<readonly Figures[]> {
  const { minutes } = stage.settings
  const sampleMs = Math.max(SAMPLE_SECONDS_MIN, (minutes * 60) / SAMPLES) * 1_000
  const samples: Figures[] = []
  const beganMs = performance.now()
  let before = await lookAt(stage)
  for (;;) {
    await pause(sampleMs, undefined, { signal }).catch(() => undefined)
    // The last interval was cut short: a sample of it would say less than the others.
    if (signal.aborted) return samples
    const after = await lookAt(stage)
    samples.push({ minutes: (after.atMs - beganMs) / 60_000, ...between(before, after) })
    before = after
  }
}

interface Look {
  readonly atMs: number
  readonly cpuUs: number
  readonly told: Exposition
  readonly ack: LoadAnswer
  readonly memoryMiB: number
  readonly diskMiB: number
}

async function lookAt({ broker, producer }: Stage): Promise<Look> {
  const [told, ack] = await Promise.all([broker.metrics(), producer.order({ kind: 'sample' })])
  return {
    atMs: performance.now(),
    cpuUs: broker.cpuUs(),
    told,
    ack,
    memoryMiB: broker.memoryBytes() / 2 ** 20,
    diskMiB: broker.diskBytes() / 2 ** 20,
  }
}

function between(before: Look, after: Look): Figures {
  const completed = 'outcome="completed"'
  const tasks = after.told.growth(before.told, 'tq_queue_tasks_total', completed)
  return {
    tasksPerSecond: (tasks / (after.atMs - before.atMs)) * 1_000,
    brokerUsPerTask: tasks === 0 ? 0 : (after.cpuUs - before.cpuUs) / tasks,
    ...(after.ack.kind === 'sample' ? latencyFigures('ack', after.ack.ack) : {}),
    ...commitFigures(before.told, after.told),
    memoryMiB: after.memoryMiB,
    diskMiB: after.diskMiB,
  }
}

function trendOf(samples: readonly Figures[]): Figures {
  const of = (name: string): number[] => samples.map((sample) => sample[name] ?? 0)
  const points = samples.map((sample) => {
    return { x: sample['minutes'] ?? 0, y: sample['tasksPerSecond'] ?? 0 }
  })
  const tasksPerSecond = medianOf(of('tasksPerSecond'))
  return {
    tasksPerSecond,
    slowestPerSecond: Math.min(...of('tasksPerSecond')),
    slopePercentPerMinute: (slopeOf(points) / tasksPerSecond) * 100,
    brokerUsPerTask: medianOf(of('brokerUsPerTask')),
    ackP99Ms: medianOf(of('ackP99Ms')),
    commitP99Ms: medianOf(of('commitP99Ms')),
    loopDelayP99Ms: medianOf(of('loopDelayP99Ms')),
    memoryMiB: Math.max(...of('memoryMiB')),
    diskMiB: Math.max(...of('diskMiB')),
  }
}
