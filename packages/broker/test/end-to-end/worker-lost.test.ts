// A worker process that is killed in the middle of a task.

import type { TaskDescription } from '@tq/core'
import { beforeAll, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { aClient } from './sdk.ts'
import { aQueueName, aTask } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { WireClient } from './wire-client.ts'
import { WorkerFleet } from './worker-fleet.ts'

const LEASE_MS = 1_500

const broker = sharedBroker('--workers-heartbeat-ms=300', '--workers-dead-ms=1500')
let deadByLosses: Promise<TaskDescription>

beforeAll(() => {
  // Most of it is waiting, while the first test runs.
  deadByLosses = loseTwice()
})

it('loses its task within the lease time; that is a loss, not a failure, and another worker goes on', async () => {
  const queue = aQueueName()
  const client = aClient(broker)
  const fleet = await WorkerFleet.start(broker, 1, { queue, concurrency: 1, leaseMs: LEASE_MS })
  const handle = await client.enqueue(queue, 'note', fleet.payload(true))
  await eventually(async () => expect(await fleet.runs()).toHaveLength(1))
  // It is kept alive for longer than a lease before it is killed.
  const startedMs = performance.now()
  await eventually(() => expect(performance.now() - startedMs).toBeGreaterThan(LEASE_MS + 200))
  expect(await client.get(handle.id)).toMatchObject({ state: 'running', attempt: 1 })

  const killedMs = performance.now()
  await fleet.workers[0]!.kill()
  await eventually(async () => expect((await client.get(handle.id)).state).toBe('queued'))
  const lostMs = performance.now() - killedMs

  expect(lostMs).toBeLessThan(LEASE_MS + 1_000)
  const task = await client.get(handle.id)
  expect(task).toMatchObject({ losses: 1, failures: 0, attempt: 2 })
  expect(task.history![0]!.transitions.at(-1)).toMatchObject({
    state: 'queued',
    reason: expect.stringMatching(/^(lease_expired|worker_lost)$/),
  })
  expect((await client.stats(queue)).queues[0]).toMatchObject({ lostTotal: 1, failedTotal: 0 })

  await fleet.open()
  fleet.add('successor')
  expect(await handle.result()).toBe(2)
  const runs = await fleet.runs()
  expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2])
  expect(runs[1]!.token).toBeGreaterThan(runs[0]!.token)
})

it('is dead after its losses are used up, whatever its attempts', async () => {
  const task = await deadByLosses

  expect(task).toMatchObject({
    state: 'dead',
    losses: 2,
    failures: 0,
    end: { reason: 'losses_exhausted' },
  })
  expect(task.history).toHaveLength(2)
})

/** Claimed twice by somebody who is never heard of again. */
async function loseTwice(): Promise<TaskDescription> {
  const queue = 'poison'
  const wire = await WireClient.connect(broker.address)
  const options = { maxLost: 2, maxAttempts: 5 }
  const [id] = await wire.enqueue(queue, [aTask(queue, { options })])
  for (let loss = 1; loss <= 2; loss += 1) {
    await wire.claim(queue, { waitMs: 5_000, leaseMs: 1_000 })
  }
  await wire.ask<'wait'>({ verb: 'wait', id: id!, waitMs: 10_000 })
  const task = await wire.task(id!)
  wire.destroy()
  return task
}
