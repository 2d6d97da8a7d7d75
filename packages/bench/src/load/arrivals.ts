// An open loop: tasks come at their moments, whatever became of the ones before. Latencies count
// from the moment a task was due, so that a broker that stands still is not spared (no coordinated
// omission).

import type { TqClient } from '@tq/client'
import { LatencyHistogram } from '../figure/latency-histogram.ts'
import type { Done, LoadOrder } from './load-message.ts'
import { type Beats, Metronome, type Rhythm } from './metronome.ts'
import { monotonicUs } from './monotonic.ts'
import { queueOf, type Target } from './target.ts'
import { TaskMaker } from './task-maker.ts'

export class Arrivals {
  readonly #clients: readonly TqClient[]
  readonly #target: Target
  readonly #ack = new LatencyHistogram()
  readonly #late = new LatencyHistogram()
  #delayUs = 0

  constructor(clients: readonly TqClient[], target: Target) {
    this.#clients = clients
    this.#target = target
  }

  async run(
    order: Extract<LoadOrder, { kind: 'arrivals' }>,
    beatsOf: (rhythm: Rhythm) => Beats = (rhythm) => new Metronome(rhythm),
  ): Promise<Done> {
    const { tasks, perSecond } = order
    const maker = new TaskMaker(order.shape)
    this.#delayUs = order.shape.delayMs * 1_000
    const acknowledged: Promise<void>[] = []
    const fromUs = monotonicUs()
    const beats = beatsOf({ beats: tasks, intervalUs: 1_000_000 / perSecond })
    await beats.run((dueUs) => acknowledged.push(this.#send(maker, dueUs, acknowledged.length)))
    await Promise.all(acknowledged)
    return {
      tasks,
      fromUs,
      toUs: monotonicUs(),
      ack: this.#ack.summary(),
      late: this.#late.summary(),
    }
  }

  /** A delayed task is due at its handler when its delay is over. */
  async #send(maker: TaskMaker, dueUs: number, index: number): Promise<void> {
    const client = this.#clients[index % this.#clients.length]
    const { type, payload, options } = maker.stamped(dueUs + this.#delayUs)
    this.#late.recordUs(monotonicUs() - dueUs)
    await client?.enqueue(queueOf(this.#target, index), type, payload, options)
    this.#ack.recordUs(monotonicUs() - dueUs)
  }
}
