// One task at a time: nothing else is under way, so that only the way itself is measured.

import { TqClient, TqWorker } from '@tq/client'
import { LatencyHistogram } from '../figure/latency-histogram.ts'
import type { Done, LoadOrder } from './load-message.ts'
import { monotonicUs } from './monotonic.ts'
import { addressOf, queueOf, type Target } from './target.ts'
import { TaskMaker } from './task-maker.ts'

export async function loneTasks(
  target: Target,
  order: Extract<LoadOrder, { kind: 'latency' }>,
): Promise<Done> {
  const queue = queueOf(target, 0)
  const maker = new TaskMaker(order.shape)
  const start = new LatencyHistogram()
  const ack = new LatencyHistogram()
  let started: (atUs: number) => void = () => undefined
  let completed: () => void = () => undefined
  const client = new TqClient({ address: addressOf(target), name: 'bench' })
  const worker = new TqWorker({
    address: addressOf(target),
    queues: [queue],
    concurrency: 1,
    onEvent: (event) => {
      if (event.kind === 'task-completed') completed()
    },
  })
  worker.handle('*', () => started(monotonicUs()))
  await worker.start()
  const fromUs = monotonicUs()
  for (let round = 0; round < order.rounds; round += 1) {
    const { type, payload, options } = maker.next()
    const handled = new Promise<number>((resolve) => (started = resolve))
    const ended = new Promise<void>((resolve) => (completed = resolve))
    const sinceUs = monotonicUs()
    await client.enqueue(queue, type, payload, options)
    ack.recordUs(monotonicUs() - sinceUs)
    start.recordUs((await handled) - sinceUs)
    await ended
  }
  const toUs = monotonicUs()
  await worker.stop()
  await client.close()
  return { tasks: order.rounds, fromUs, toUs, ack: ack.summary(), start: start.summary() }
}
