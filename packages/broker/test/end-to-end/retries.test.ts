// A task that fails again and again: retried, dead with its reason and its history, redriven, completed.

import { HandlerError, TaskFailedError } from '@tq/client'
import { expect, it } from 'vitest'
import { aClient, aWorker } from './sdk.ts'
import { aQueueName } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'

const broker = sharedBroker()

const RETRY = { kind: 'exponential', baseMs: 20, factor: 2, capMs: 1_000, jitter: 0 } as const

it('is dead after its last attempt, with reason and history; redriven, it completes', async () => {
  const queue = aQueueName()
  const client = aClient(broker)
  let isMended = false
  const attempts: number[] = []
  const worker = aWorker(broker, { queues: [queue] })
  worker.handle('flaky', (task) => {
    attempts.push(task.attempt)
    if (!isMended) throw new RangeError(`attempt ${task.attempt} was no good`)
    return 'well'
  })
  await worker.start()
  const handle = await client.enqueue(queue, 'flaky', {}, { maxAttempts: 3, retry: RETRY })

  const failure = await handle.result().catch((error: unknown) => error)

  expect(failure).toBeInstanceOf(TaskFailedError)
  const dead = await client.get(handle.id)
  expect(dead).toMatchObject({
    state: 'dead',
    failures: 3,
    losses: 0,
    end: {
      reason: 'attempts_exhausted',
      error: { type: 'RangeError', message: 'attempt 3 was no good' },
    },
  })
  expect(dead.history!.map(({ attempt, error }) => [attempt, error?.message])).toEqual([
    [1, 'attempt 1 was no good'],
    [2, 'attempt 2 was no good'],
    [3, 'attempt 3 was no good'],
  ])
  expect(dead.history!.map(({ transitions }) => transitions.at(-1)!.state)).toEqual([
    'retrying',
    'retrying',
    'dead',
  ])
  const ranAtMs = dead.history!.map(({ transitions }) => {
    return transitions.find(({ state }) => state === 'running')!.atMs
  })
  expect(ranAtMs[1]! - ranAtMs[0]!).toBeGreaterThanOrEqual(20)
  expect(ranAtMs[2]! - ranAtMs[1]!).toBeGreaterThanOrEqual(40)
  expect((await client.stats(queue)).queues[0]).toMatchObject({
    failedTotal: 3,
    deadTotal: 1,
    dead: 1,
  })

  isMended = true
  await client.redrive([handle.id])

  expect(await handle.result()).toBe('well')
  const done = await client.get(handle.id)
  expect(done).toMatchObject({ state: 'completed', generation: 1, failures: 0, attempt: 1 })
  expect(done.history!.map(({ generation }) => generation)).toEqual([0, 0, 0, 1])
  expect(attempts).toEqual([1, 2, 3, 1])
  expect((await client.stats(queue)).queues[0]).toMatchObject({
    dead: 0,
    kept: 1,
    completedTotal: 1,
  })
})

it('is dead at once if its handler says that another try is of no use', async () => {
  const queue = aQueueName()
  const client = aClient(broker)
  const worker = aWorker(broker, { queues: [queue] })
  worker.handle('hopeless', () => {
    throw new HandlerError('there is no such address', { retryable: false })
  })
  await worker.start()
  const handle = await client.enqueue(queue, 'hopeless', {})

  await expect(handle.result()).rejects.toThrow(TaskFailedError)

  expect(await client.get(handle.id)).toMatchObject({
    state: 'dead',
    failures: 1,
    end: { reason: 'not_retryable', error: { message: 'there is no such address' } },
  })
})
