// The stage of one measurement: a broker, a process of producers and one of workers, and what they do.

import { TqClient } from '@tq/client'
import type { BrokerProcess } from '../broker/broker-process.ts'
import type { LoadChild } from '../load/load-child.ts'
import type { Done } from '../load/load-message.ts'
import { type LoadSettings, shapeOf, streamsOf, workOf } from './load-settings.ts'

/** Fixed and short: what is measured of a retry is its work, not its wait. */
const RETRY = {
  kind: 'fixed',
  baseMs: 1,
  factor: 1,
  capMs: 1_000,
  jitter: 0,
  notRetryable: [],
} as const
/** How tasks come that only have to be there. */
const FILL = { batch: 500, outstanding: 2, isAlone: false } as const

export interface Cast {
  readonly broker: BrokerProcess
  readonly producer: LoadChild
  readonly worker: LoadChild
}

export class Stage implements Cast {
  readonly broker: BrokerProcess
  readonly producer: LoadChild
  readonly worker: LoadChild
  readonly settings: LoadSettings
  readonly queues: readonly string[]

  /** Sets up queues that nobody has used, and connects the load. */
  static async set(cast: Cast, settings: LoadSettings, name: string): Promise<Stage> {
    const queues = Array.from({ length: settings.queueCount }, (_, index) => `${name}-${index}`)
    const stage = new Stage(cast, settings, queues)
    await stage.#setQueues()
    const { connections } = settings
    const order = { kind: 'connect', port: cast.broker.port, queues, connections } as const
    await Promise.all([
      cast.producer.order({ ...order, role: 'producer' }),
      cast.worker.order({ ...order, role: 'worker' }),
    ])
    return stage
  }

  private constructor(cast: Cast, settings: LoadSettings, queues: readonly string[]) {
    this.broker = cast.broker
    this.producer = cast.producer
    this.worker = cast.worker
    this.settings = settings
    this.queues = queues
  }

  /** The same stage with other settings, for a second part of a measurement. */
  with(change: Partial<LoadSettings>): Stage {
    return new Stage(this, { ...this.settings, ...change }, this.queues)
  }

  /** Enqueues tasks as fast as it goes, to wait. */
  async fill(tasks: number): Promise<void> {
    if (tasks === 0) return
    const shape = shapeOf(this.settings)
    await this.producer.run({ kind: 'enqueue', tasks, shape, streams: FILL })
  }

  enqueue(): Promise<Done> {
    const { tasks } = this.settings
    const [shape, streams] = [shapeOf(this.settings), streamsOf(this.settings)]
    return this.producer.run({ kind: 'enqueue', tasks, shape, streams })
  }

  /**
   * Runs a load with workers that are there before it, and gone after it: how long they take to
   * start is no part of it. What waits is held back until it begins.
   */
  async staffed<T>(load: () => Promise<T>): Promise<T> {
    const isHeldBack = this.settings.waiting > 0
    if (isHeldBack) await this.#forQueues((client, queue) => client.queuePause(queue))
    await this.worker.order({ kind: 'hire', work: workOf(this.settings) })
    try {
      if (isHeldBack) await this.#forQueues((client, queue) => client.queueResume(queue))
      return await load()
    } finally {
      await this.worker.order({ kind: 'dismiss' })
    }
  }

  /** Claims and completes so many. */
  drain(tasks: number): Promise<Done> {
    return this.worker.run({ kind: 'drain', tasks })
  }

  /** Producers and workers at the same time, as many tasks out as in. */
  async mixed(): Promise<Done> {
    return together(this.enqueue(), this.drain(this.settings.tasks))
  }

  /** Tasks at their moments, and workers that wait for them. */
  async arrivals(): Promise<Done> {
    const { seconds, perSecond } = this.settings
    const tasks = Math.max(1, Math.round(seconds * perSecond))
    const order = { kind: 'arrivals', tasks, perSecond, shape: shapeOf(this.settings) } as const
    return together(this.producer.run(order), this.drain(tasks))
  }

  /** A client for a question or two; closed when they have been asked. */
  async ask<T>(question: (client: TqClient) => Promise<T>): Promise<T> {
    const client = new TqClient({ address: `127.0.0.1:${this.broker.port}`, name: 'bench' })
    try {
      return await question(client)
    } finally {
      await client.close()
    }
  }

  async #setQueues(): Promise<void> {
    const { retentionCount } = this.settings
    const kept = retentionCount === undefined ? {} : { retentionCount }
    const settings = { retry: RETRY, ...kept }
    await this.#forQueues((client, queue) => client.queueSet(queue, settings))
  }

  async #forQueues(change: (client: TqClient, queue: string) => Promise<unknown>): Promise<void> {
    await this.ask((client) => Promise.all(this.queues.map((queue) => change(client, queue))))
  }
}

/** What producers and workers did at the same time is over when the last task is completed. */
async function together(producing: Promise<Done>, draining: Promise<Done>): Promise<Done> {
  const [produced, drained] = await Promise.all([producing, draining])
  const fromUs = Math.min(produced.fromUs, drained.fromUs)
  const toUs = Math.max(produced.toUs, drained.toUs)
  return { ...produced, ...drained, fromUs, toUs }
}
