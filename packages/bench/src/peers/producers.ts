// The producing half of a load process.

import { type LoadAnswer, type LoadOrder, monotonicMs } from './load-message.ts'
import type { PeerProducer } from './peer.ts'
import type { BodyMaker } from './task-body.ts'

/** Enqueues the tasks of an order, over all connections at once. */
export async function enqueueAll(
  producers: readonly PeerProducer[],
  maker: BodyMaker,
  order: Extract<LoadOrder, { kind: 'enqueue' }>,
): Promise<LoadAnswer> {
  const { tasks, batch, outstanding } = order
  let next = tasks.first
  const end = tasks.first + tasks.count
  const stream = async (producer: PeerProducer): Promise<void> => {
    while (next < end) {
      const count = Math.min(batch, end - next)
      const from = next
      next += count
      if (batch === 1) await producer.one(maker.make(from))
      else await producer.many(Array.from({ length: count }, (_, at) => maker.make(from + at)))
    }
  }
  const cpu = process.cpuUsage()
  const fromMs = monotonicMs()
  await Promise.all(
    producers.flatMap((producer) => Array.from({ length: outstanding }, () => stream(producer))),
  )
  const toMs = monotonicMs()
  const { user, system } = process.cpuUsage(cpu)
  return { kind: 'enqueued', span: { fromMs, toMs }, cpuUs: user + system }
}
