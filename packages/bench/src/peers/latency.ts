// Latency without load: one task at a time, its producer and its worker in one process.

import { type LoadAnswer, type LoadOrder, monotonicMs } from './load-message.ts'
import type { Peer } from './peer.ts'
import type { BodyMaker } from './task-body.ts'
import { Workforce } from './workforce.ts'

export async function measureLatency(
  at: { readonly peer: Peer; readonly port: number },
  maker: BodyMaker,
  order: Extract<LoadOrder, { kind: 'latency' }>,
): Promise<LoadAnswer> {
  const { tasks, slots } = order
  const workforce = new Workforce(tasks)
  const producer = await at.peer.connectProducer(at.port)
  await workforce.open(at, { connections: 1, slots })
  const startMs: number[] = []
  const ackMs: number[] = []
  for (let number = tasks.first; number < tasks.first + tasks.count; number += 1) {
    const started = new Promise<number>((resolve) => {
      workforce.onTask = () => resolve(monotonicMs())
    })
    const ended = new Promise<void>((resolve) => {
      workforce.onEnd = resolve
    })
    const sinceMs = monotonicMs()
    await producer.one(maker.make(number))
    ackMs.push(monotonicMs() - sinceMs)
    startMs.push((await started) - sinceMs)
    await ended
  }
  await workforce.finish()
  await workforce.close()
  await producer.close()
  return { kind: 'latency', startMs, ackMs, verdict: workforce.verdict() }
}
