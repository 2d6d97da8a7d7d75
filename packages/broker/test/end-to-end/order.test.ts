// In which order a real worker gets to see tasks: priority, age, first in first out, and its lanes.

import { randomInt } from 'node:crypto'
import type { TqWorker } from '@tq/client'
import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { aClient, aWorker } from './sdk.ts'
import { aQueueName, aTask } from './task-spec.ts'
import { aBroker, sharedBroker } from './test-broker.ts'
import { heldOf } from './wire-client.ts'

const broker = sharedBroker()

describe('a worker with one slot', () => {
  it('runs the most urgent first, and equals in the order in which they came', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    const wishes = Array.from({ length: 200 }, (_, at) => ({ at, priority: randomInt(8) * 36 }))
    await client.enqueueMany(
      queue,
      wishes.map(({ at, priority }) => ({ type: 'note', payload: at, options: { priority } })),
    )

    const seen = await runAll(queue, wishes.length)

    const byUrgency = wishes.toSorted((a, b) => b.priority - a.priority || a.at - b.at)
    expect(seen).toEqual(byUrgency.map(({ at }) => at))
  })

  it('sees the same order after the broker was killed', async () => {
    const queue = aQueueName()
    const own = await aBroker()
    const wire = await own.wire()
    const tasks = Array.from({ length: 300 }, (_, at) => {
      return aTask(queue, { payload: at, options: { priority: randomInt(4) * 64 } })
    })
    await wire.enqueue(queue, tasks)
    // Some have been held and given back: that must not change their place either.
    const { tasks: held } = await wire.claim(queue, { max: 50 })
    for (const task of held) await wire.release(heldOf(task))

    await own.kill()
    await own.start()

    const byUrgency = tasks.toSorted((a, b) => b.options!.priority! - a.options!.priority!)
    const next = await own.wire()
    const claimed = await next.claim(queue, { max: 300 })
    expect(claimed.tasks.map((task) => task[0])).toEqual(byUrgency.map(({ id }) => id))
  })

  it('lets age count as much as the queue says, and not a millisecond more', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const settings = { agingMsPerLevel: 10 }
    await wire.ask({ verb: 'queue-set', queue, settings })
    await wire.ask({ verb: 'queue-pause', queue })
    // Ten levels are worth 100 ms here.
    const dueMs = Date.now() + 600
    const tasks = [
      aTask(queue, { payload: 'old', options: { priority: 100, runAtMs: dueMs } }),
      aTask(queue, {
        payload: 'urgent but late',
        options: { priority: 110, runAtMs: dueMs + 101 },
      }),
      aTask(queue, { payload: 'urgent in time', options: { priority: 110, runAtMs: dueMs + 99 } }),
      aTask(queue, { payload: 'tie', options: { priority: 110, runAtMs: dueMs + 100 } }),
    ]
    await wire.enqueue(queue, tasks)
    await eventually(async () => expect((await wire.stats(queue)).queued).toBe(4))
    await wire.ask({ verb: 'queue-resume', queue })

    expect(await runAll(queue, 4)).toEqual(['urgent in time', 'old', 'tie', 'urgent but late'])
  })

  it('goes by priority alone in a strict queue, however old the others are', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    await wire.ask({ verb: 'queue-set', queue, settings: { order: 'strict', agingMsPerLevel: 0 } })
    await wire.enqueue(queue, [aTask(queue, { payload: 'old', options: { priority: 1 } })])
    await wire.enqueue(queue, [aTask(queue, { payload: 'new', options: { priority: 2 } })])

    expect(await runAll(queue, 2)).toEqual(['new', 'old'])
  })

  it('never starves the least urgent task under a stream of urgent ones', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    // The whole range of priorities is worth 510 ms.
    await client.queueSet(queue, { agingMsPerLevel: 2 })
    let enqueued = 0
    const urgent = async (): Promise<void> => {
      await client.enqueue(queue, 'urgent', {}, { priority: 255 })
      enqueued += 1
    }
    for (let count = 0; count < 20; count += 1) await urgent()
    const low = await client.enqueue(queue, 'low', {}, { priority: 0 })
    const ranBefore: string[] = []
    let waitingThen: number | undefined
    const worker = aWorker(broker, { queues: [queue], concurrency: 1 })
    worker.handle('urgent', async (task) => {
      if (waitingThen !== undefined) return
      ranBefore.push(task.id)
      // For each that is taken another one comes: there is always something more urgent.
      await urgent()
    })
    worker.handle('low', () => void (waitingThen = enqueued - ranBefore.length))
    await worker.start()

    await low.result({ timeoutMs: 10_000 })

    expect(waitingThen).toBeGreaterThanOrEqual(20)
    expect(ranBefore.length).toBeGreaterThan(20)
    const lowAtMs = (await client.get(low.id)).createdAtMs
    for (const id of ranBefore) {
      expect((await client.get(id)).createdAtMs).toBeLessThanOrEqual(lowAtMs + 510)
    }
  })
})

describe('lanes', () => {
  it('give tasks with requirements to workers that meet them, and to no others', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    const gpu = { requires: { gpu: true, zone: 'eu' } }
    await client.enqueueMany(queue, [
      { type: 'note', payload: 'gpu 1', options: { ...gpu, priority: 255 } },
      { type: 'note', payload: 'plain 1' },
      { type: 'note', payload: 'gpu 2', options: gpu },
      { type: 'note', payload: 'plain 2' },
    ])

    const almost = await runAll(queue, 2, { labels: { gpu: true, zone: 'us' } })
    expect(almost).toEqual(['plain 1', 'plain 2'])
    await client.enqueue(queue, 'note', 'plain 3')

    const able = await runAll(queue, 3, { labels: { gpu: true, zone: 'eu', more: 1 } })
    expect(able).toEqual(['gpu 1', 'gpu 2', 'plain 3'])
  })

  it('give a claim with a least priority nothing below it', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    for (const priority of [10, 200, 150, 149]) {
      await client.enqueue(queue, 'note', priority, { priority })
    }

    expect(await runAll(queue, 2, { minPriority: 150 })).toEqual([200, 150])
    expect((await client.stats(queue)).queues[0]).toMatchObject({ queued: 2, running: 0 })
    expect(await runAll(queue, 2)).toEqual([149, 10])
  })

  it('move a task that is given another priority', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    const tasks = ['a', 'b', 'c', 'd'].map((payload) => ({ type: 'note', payload }))
    const [, b, c] = await client.enqueueMany(queue, tasks)

    await client.setPriority([c!.id], 200)
    await client.setPriority([b!.id], 100)

    expect(await runAll(queue, 4)).toEqual(['c', 'a', 'd', 'b'])
  })

  it('take turns by weight over several queues, or go by the order named', async () => {
    const [one, two] = [aQueueName(), aQueueName()]
    const wire = await broker.wire()
    await wire.enqueue(
      one,
      Array.from({ length: 40 }, () => aTask(one)),
    )
    await wire.enqueue(
      two,
      Array.from({ length: 40 }, () => aTask(two)),
    )

    const ask = { queues: [two, one], max: 20 }
    const round = await wire.claim(two, { ...ask, weights: { [one]: 3 } })
    const strict = await wire.claim(two, { ...ask, order: 'strict' })

    expect(round.tasks.filter((task) => task[2] === one)).toHaveLength(15)
    expect(strict.tasks.filter((task) => task[2] === two)).toHaveLength(20)
    for (const task of [...round.tasks, ...strict.tasks]) await wire.release(heldOf(task))
  })
})

/** Payloads in the order in which a worker with one slot saw them, until it saw so many. */
async function runAll(
  queue: string,
  count: number,
  options: Partial<ConstructorParameters<typeof TqWorker>[0]> = {},
): Promise<unknown[]> {
  const seen: unknown[] = []
  const worker = aWorker(broker, { ...options, queues: [queue], concurrency: 1, leaseMs: 5_000 })
  worker.handle('*', (task) => void seen.push(task.payload))
  await worker.start()
  await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(count))
  await worker.stop()
  return seen
}
