// One look at the broker under soak: memory after a forced collection, descriptors, store, delays.

import type { LoadFigures } from './load-message.ts'
import type { LoadChild } from './load-child.ts'
import { Exposition } from './exposition.ts'
import { processFigures, type ProcessFigures } from './process-figures.ts'
import type { CollectedMemory, SoakedBroker } from './soaked-broker.ts'
import { storeFigures, type StoreFigures } from './store-figures.ts'

export interface Sample extends ProcessFigures, StoreFigures, CollectedMemory {
  /** Since the soak began, in s. */
  readonly atSeconds: number
  readonly loopP999Ms: number
  readonly loopMaxMs: number
  readonly tasks: Readonly<Record<string, number>>
  readonly connections: number
  readonly parkedClaims: number
  readonly stalls: number
  /** Since the sample before, in s; the upper edge of a bucket. */
  readonly commitP50Seconds: number
  readonly commitP99Seconds: number
  readonly enqueuedPerSecond: number
  readonly completedPerSecond: number
  readonly brokerCpuShare: number
  readonly loadCpuShare: number
  readonly load: LoadFigures
}

interface Before {
  readonly atMs: number
  readonly exposition: Exposition
  readonly load: LoadFigures
  readonly cpuSeconds: number
}

export class Sampler {
  readonly #broker: SoakedBroker
  readonly #load: LoadChild
  readonly #beganAtMs = performance.now()
  #before: Before | undefined

  constructor(broker: SoakedBroker, load: LoadChild) {
    this.#broker = broker
    this.#load = load
  }

  async sample(): Promise<Sample> {
    // In this order: the delays do not count what measuring costs, the collection comes last.
    const loop = await this.#broker.loopDelays()
    const exposition = new Exposition(await this.#broker.metrics())
    const memory = await this.#broker.collectedMemory()
    const kernel = processFigures(this.#broker.pid)
    const load = await this.#load.figures()
    const atMs = performance.now()
    const before = this.#before
    const seconds = (atMs - (before?.atMs ?? this.#beganAtMs)) / 1_000
    this.#before = { atMs, exposition, load, cpuSeconds: kernel.cpuSeconds }
    const commit = (share: number): number => {
      const name = 'tq_commit_duration_seconds'
      return exposition.quantileSince(before?.exposition, name, share)
    }
    return {
      atSeconds: (atMs - this.#beganAtMs) / 1_000,
      ...memory,
      ...kernel,
      ...(await storeFigures(this.#broker.directory)),
      loopP999Ms: loop.p999Ms,
      loopMaxMs: loop.maxMs,
      tasks: exposition.by('tq_tasks', 'state'),
      connections: exposition.sum('tq_connections'),
      parkedClaims: exposition.sum('tq_parked_claims'),
      stalls: exposition.sum('tq_stalls_total'),
      commitP50Seconds: commit(0.5),
      commitP99Seconds: commit(0.99),
      enqueuedPerSecond: (load.enqueued - (before?.load.enqueued ?? 0)) / seconds,
      completedPerSecond: (load.completed - (before?.load.completed ?? 0)) / seconds,
      brokerCpuShare: (kernel.cpuSeconds - (before?.cpuSeconds ?? kernel.cpuSeconds)) / seconds,
      loadCpuShare: (load.cpuSeconds - (before?.load.cpuSeconds ?? load.cpuSeconds)) / seconds,
      load,
    }
  }
}
