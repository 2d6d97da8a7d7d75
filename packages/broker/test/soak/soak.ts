// Hours of ordinary work at half of what the machine can do, and what is left of it in memory.

import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { TqClient } from '@tq/client'
import { GUEST_QUEUE, SOAK_QUEUES } from './arrivals.ts'
import { drained } from './drained.ts'
import { LoadChild } from './load-child.ts'
import type { Pace } from './load-message.ts'
import { type Sample, Sampler } from './sample.ts'
import { freePort, SoakedBroker } from './soaked-broker.ts'
import { compactedFigures, type StoreFigures } from './store-figures.ts'

export interface SoakOptions {
  /** Directory of the built packages. */
  readonly packages: string
  /** The program that serves load when `MODE` is `load`. */
  readonly entry: string
  /** Where the data and the samples go. */
  readonly out: string
  readonly seconds: number
  readonly sampleSeconds: number
  readonly calibrationSeconds: number
  /** Instead of half of what the calibration reached. */
  readonly tasksPerSecond: number | undefined
  readonly seed: number
  /** How long ended tasks are kept, in ms: the store must reach its size well within the soak. */
  readonly keptMs: number
  /** Queues that exist from the beginning; at the most a broker keeps, new names are refused. */
  readonly queues: number
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface SoakResult {
  readonly samples: readonly Sample[]
  readonly tasksPerSecond: number
  /** The store of the stopped, compacted broker: after the calibration, and after the soak. */
  readonly storeBefore: StoreFigures
  /** Undefined if the soak was cut short. */
  readonly storeAfter: StoreFigures | undefined
  /** Tasks by state that did not end in time. */
  readonly left: Readonly<Record<string, number>>
}

/** So many requests under way find out what the broker can do in the shape of the soak. */
const CLOSED_PACE: Pace = { kind: 'closed', outstanding: 48, liveMax: 5_000 }
const SOAK_SHARE = 0.5
/** As small as it may be, so that it is full within minutes. */
export const JOURNAL_BYTES_MAX: number = 16 * 2 ** 20

export async function soak(options: SoakOptions): Promise<SoakResult> {
  // Samples of an earlier soak would spoil the trend of this one.
  rmSync(join(options.out, 'samples.jsonl'), { force: true })
  rmSync(join(options.out, 'data'), { recursive: true, force: true })
  mkdirSync(options.out, { recursive: true })
  const broker = new SoakedBroker(options.packages, {
    directory: join(options.out, 'data'),
    port: await freePort(),
    flags: brokerFlags(options),
  })
  try {
    await broker.start()
    await nameQueues(broker, options)
    const tasksPerSecond = await calibrate(broker, options)
    await broker.stop()
    const storeBefore = await compactedFigures(broker.directory)
    options.say(
      `empty store: ${mib(storeBefore)}; ${tasksPerSecond.toFixed(0)} tasks/s from now on`,
    )
    await broker.start()
    const { samples, left } = await keepUp(broker, options, tasksPerSecond)
    await broker.stop()
    const storeAfter = options.signal.aborted ? undefined : await compactedFigures(broker.directory)
    return { samples, tasksPerSecond, storeBefore, storeAfter, left }
  } finally {
    await broker.stop()
  }
}

function brokerFlags({ keptMs }: SoakOptions): readonly string[] {
  return [
    '--log-level=info',
    `--queues-defaults-retention-ms=${keptMs}`,
    `--queues-defaults-dead-retention-ms=${keptMs}`,
    `--journal-bytes-max=${JOURNAL_BYTES_MAX}`,
    '--workers-session-idle-ms=60000',
  ]
}

/** Those of the load first: when the broker has all it keeps, no other name is taken. */
async function nameQueues(broker: SoakedBroker, { queues, say }: SoakOptions): Promise<void> {
  const client = new TqClient({ address: `127.0.0.1:${broker.port}` })
  const names = [...SOAK_QUEUES, GUEST_QUEUE]
  for (let n = names.length; n < queues; n += 1) names.push(`named-${n}`)
  await Promise.all(names.map((name) => client.queueSet(name, {})))
  await client.close()
  say(`${names.length} queues named`)
}

/** What the broker completes in a second under a closed loop of the same shape. */
async function calibrate(broker: SoakedBroker, options: SoakOptions): Promise<number> {
  const { tasksPerSecond: given, calibrationSeconds: seconds, say } = options
  const load = new LoadChild(options.entry)
  try {
    await load.order({ kind: 'connect', port: broker.port, seed: options.seed })
    const pace: Pace = given === undefined ? CLOSED_PACE : { kind: 'open', tasksPerSecond: given }
    await load.order({ kind: 'run', pace })
    await patiently((seconds / 2) * 1_000, options.signal)
    const before = await load.figures()
    const sinceMs = performance.now()
    await patiently((seconds / 2) * 1_000, options.signal)
    const after = await load.figures()
    const reached = (after.completed - before.completed) / ((performance.now() - sinceMs) / 1_000)
    say(
      `calibration: ${reached.toFixed(0)} tasks/s completed (${given === undefined ? 'closed' : 'open'} loop)`,
    )
    await load.order({ kind: 'pause' })
    if (!options.signal.aborted) await drained(broker)
    await load.order({ kind: 'end' })
    return given ?? reached * SOAK_SHARE
  } finally {
    await load.kill()
  }
}

async function keepUp(
  broker: SoakedBroker,
  options: SoakOptions,
  tasksPerSecond: number,
): Promise<{ samples: readonly Sample[]; left: Readonly<Record<string, number>> }> {
  const load = new LoadChild(options.entry)
  try {
    await load.order({ kind: 'connect', port: broker.port, seed: options.seed + 1 })
    await load.order({ kind: 'run', pace: { kind: 'open', tasksPerSecond } })
    const samples = await watch(new Sampler(broker, load), options)
    await load.order({ kind: 'pause' })
    const left = options.signal.aborted ? {} : await drained(broker)
    await load.order({ kind: 'end' })
    return { samples, left }
  } finally {
    await load.kill()
  }
}

async function watch(sampler: Sampler, options: SoakOptions): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  const beganAtMs = performance.now()
  const endAtMs = beganAtMs + options.seconds * 1_000
  for (let turn = 1; performance.now() < endAtMs && !options.signal.aborted; turn += 1) {
    const dueAtMs = Math.min(endAtMs, beganAtMs + turn * options.sampleSeconds * 1_000)
    await patiently(dueAtMs - performance.now(), options.signal)
    const sample = await sampler.sample()
    samples.push(sample)
    appendFileSync(join(options.out, 'samples.jsonl'), `${JSON.stringify(sample)}\n`)
    options.say(progressLine(sample))
  }
  return samples
}

function progressLine(sample: Sample): string {
  const { load } = sample
  const refusals = Object.entries(load.refusals).map(([code, count]) => `${code} ${count}`)
  return [
    `${sample.atSeconds.toFixed(0).padStart(6)} s`,
    `${sample.completedPerSecond.toFixed(0)} tasks/s`,
    `heap ${(sample.heapUsed / 2 ** 20).toFixed(1)}`,
    `rss ${(sample.rssBytes / 2 ** 20).toFixed(0)} MiB`,
    `fds ${sample.descriptors}`,
    `store ${mib(sample)} in ${sample.storeFiles} files`,
    `ack p50 ${load.ackP50Ms.toFixed(1)} p99 ${load.ackP99Ms.toFixed(1)} ms`,
    `loop p99.9 ${sample.loopP999Ms.toFixed(1)} max ${sample.loopMaxMs.toFixed(0)} ms`,
    `cpu ${percent(sample.brokerCpuShare)} + ${percent(sample.loadCpuShare)} load`,
    refusals.length === 0 ? 'nothing refused' : `refused ${refusals.join(', ')}`,
  ].join(' | ')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

function mib({ storeBytes }: StoreFigures): string {
  return `${(storeBytes / 2 ** 20).toFixed(1)} MiB`
}

/** Waits so long, or until the soak is called off. */
async function patiently(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await pause(ms, undefined, { signal }).catch(() => undefined)
}
