// An open loop spares nobody: latencies count from the moment a task was due.

import type { TqClient } from '@tq/client'
import { describe, expect, it } from 'vitest'
import { Arrivals } from './arrivals.ts'
import type { Done } from './load-message.ts'
import { monotonicUs } from './monotonic.ts'
import { dueUsOf } from './task-maker.ts'

const TARGET = { port: 1, queues: ['one', 'two'], connections: 1 }

interface Sent {
  readonly queue: string
  readonly dueUs: number | undefined
}

/** Tasks that were due so long ago, sent to a broker that answers at once. */
async function arrived(
  agoUs: readonly number[],
  delayMs = 0,
): Promise<{ readonly done: Done; readonly sent: readonly Sent[]; readonly nowUs: number }> {
  const sent: Sent[] = []
  const client = {
    enqueue: (queue: string, _: string, { bytes }: { bytes: Uint8Array }) => {
      sent.push({ queue, dueUs: dueUsOf(bytes) })
      return Promise.resolve()
    },
  } as unknown as TqClient
  const nowUs = monotonicUs()
  const shape = { payloadBytes: 16, priorities: 1, delayMs }
  const order = { kind: 'arrivals', tasks: agoUs.length, perSecond: 1_000, shape } as const
  const done = await new Arrivals([client], TARGET).run(order, () => ({
    run: async (onBeat) => agoUs.forEach((us) => onBeat(nowUs - us)),
  }))
  return { done, sent, nowUs }
}

describe('an open loop', () => {
  it('counts what it could not send in time as latency, and tells how late it was', async () => {
    const { done } = await arrived([500_000, 499_000, 498_000])

    expect(done.ack?.p50Ms).toBeGreaterThanOrEqual(495)
    expect(done.late?.p50Ms).toBeGreaterThanOrEqual(495)
    expect(done.ack?.count).toBe(3)
  })

  it('counts each of those that became due while everything stood still', async () => {
    const standstill = Array.from({ length: 1_000 }, (_, n) => (1_000 - n) * 1_000)

    const { done } = await arrived(standstill)

    expect(done.ack?.p50Ms).toBeGreaterThanOrEqual(490)
    expect(done.ack?.p99Ms).toBeGreaterThanOrEqual(980)
  })

  it('puts the moment into each payload, and takes the queues in turn', async () => {
    const { sent, nowUs } = await arrived([2_000, 1_000])

    expect(sent).toEqual([
      { queue: 'one', dueUs: nowUs - 2_000 },
      { queue: 'two', dueUs: nowUs - 1_000 },
    ])
  })

  it('holds a delayed task for due when its delay is over', async () => {
    const { sent, nowUs } = await arrived([0], 1_000)

    expect(sent[0]?.dueUs).toBe(nowUs + 1_000_000)
  })
})
