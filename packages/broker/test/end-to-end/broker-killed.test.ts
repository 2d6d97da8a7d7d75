// SIGKILL to the broker: running tasks go on, acknowledged work is there, nothing is done twice.

import { TqError } from '@tq/core'
import { expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { aClient, aWorker } from './sdk.ts'
import { aQueueName, aTask } from './task-spec.ts'
import { aBroker } from './test-broker.ts'
import { heldOf, type WireClient, WireClient as Wire } from './wire-client.ts'
import { WorkerFleet } from './worker-fleet.ts'

it('leaves ten running tasks on five workers to go on: none runs twice, all complete', async () => {
  const queue = aQueueName()
  const broker = await aBroker('--workers-heartbeat-ms=500')
  const proxy = await broker.proxy()
  const options = { queue, concurrency: 2, leaseMs: 10_000 }
  const fleet = await WorkerFleet.start(proxy, 5, options)
  const client = aClient(proxy)
  const tasks = Array.from({ length: 10 }, () => ({ type: 'note', payload: fleet.payload(true) }))
  const handles = await client.enqueueMany(queue, tasks)
  await eventually(async () => expect(await fleet.runs()).toHaveLength(10))
  const before = await fleet.runs()
  expect(new Set(before.map(({ pid }) => pid)).size).toBe(5)

  await broker.kill()
  await broker.start()

  for (const { id, token } of before) {
    expect((await client.get(id)).lease).toMatchObject({ token })
  }
  await fleet.open()
  for (const handle of handles) expect(await handle.result()).toBe(1)
  expect(await fleet.runs()).toEqual(before)
  for (const { id, token } of before) {
    const { attempt, losses, failures, history } = await client.get(id)
    expect({ attempt, losses, failures }).toEqual({ attempt: 1, losses: 0, failures: 0 })
    expect(history!.map((chapter) => chapter.token)).toEqual([token])
  }
  const later = await client.enqueue(queue, 'note', fleet.payload(false))
  expect(await later.result()).toBe(1)
  const last = (await fleet.runs()).find(({ id }) => id === later.id)!
  expect(last.token).toBeGreaterThan(Math.max(...before.map(({ token }) => token)))
})

it('keeps what was acknowledged over ten kills, and each task is done once', async () => {
  const KILLS = 10
  const queue = aQueueName()
  const broker = await aBroker('--workers-heartbeat-ms=1000')
  const proxy = await broker.proxy()
  const client = aClient(proxy, { requestTimeoutMs: 60_000 })
  const runs = new Map<number, number>()
  const worker = aWorker(proxy, { queues: [queue], concurrency: 8, leaseMs: 60_000 })
  worker.handle('*', (task) => {
    const number = task.payload as number
    runs.set(number, (runs.get(number) ?? 0) + 1)
    return number
  })
  await worker.start()
  const acknowledged = new Map<string, number>()
  let next = 0
  let isOver = false
  const produce = async (): Promise<void> => {
    while (!isOver) {
      next += 1
      const number = next
      acknowledged.set((await client.enqueue(queue, 'count', number)).id, number)
    }
  }
  const produced = Promise.all(Array.from({ length: 4 }, produce))
  produced.catch(() => undefined)

  for (let kill = 0; kill < KILLS; kill += 1) {
    const enough = acknowledged.size + 20 + Math.floor(Math.random() * 200)
    await eventually(() => expect(acknowledged.size).toBeGreaterThan(enough))
    await broker.kill()
    await broker.start()
  }
  isOver = true
  await produced

  await eventually(async () => {
    const { queued, running, kept } = (await client.stats(queue)).queues[0]!
    expect({ queued, running, kept }).toEqual({ queued: 0, running: 0, kept: acknowledged.size })
  })
  const found = new Map<string, number>()
  for await (const row of client.listAll({ queue })) {
    expect([row.state, row.attempt]).toEqual(['completed', 1])
    found.set(row.id, row.attempt)
  }
  // Neither lost nor doubled: the tasks that are there are just those that were acknowledged.
  expect([...found.keys()].toSorted()).toEqual([...acknowledged.keys()].toSorted())
  expect(runs.size).toBe(acknowledged.size)
  expect([...runs.values()].filter((count) => count !== 1)).toEqual([])
  const some = [...acknowledged].filter(() => Math.random() < 200 / acknowledged.size)
  for (const [id, number] of some) {
    const { history } = await client.get(id)
    const ends = history!.map(({ transitions }) => transitions.at(-1)!.state)
    expect([number, ends]).toEqual([number, ['completed']])
  }
})

it('makes a request without an answer safe to ask again: enqueue, claim, complete', async () => {
  const queue = aQueueName()
  const broker = await aBroker()
  const first = await broker.wire()
  const session = first.session
  const tasks = Array.from({ length: 30 }, () => aTask(queue))
  const enqueue = { verb: 'enqueue', queue, tasks, fresh: true } as const

  await askAndKill(first, () => first.ask<'enqueue'>(enqueue))
  await broker.start()
  const second = await Wire.connect(broker.address, { session })
  const again = { ...enqueue, fresh: false, sentAgoMs: 1_000 }
  const { count, existing } = await second.ask<'enqueue'>(again)
  expect(count).toBe(30)
  expect([0, 30]).toContain(existing?.length ?? 0)
  expect(await second.stats(queue)).toMatchObject({ queued: 30 })

  await askAndKill(second, () => second.claim(queue, { claim: 1, max: 20 }))
  await broker.start()
  const third = await Wire.connect(broker.address, { session })
  const held = (await third.claim(queue, { claim: 1, max: 20 })).tasks.map(heldOf)
  expect(held).toHaveLength(20)
  expect(await third.stats(queue)).toMatchObject({ queued: 10, running: 20 })

  const complete = { verb: 'complete', tasks: held.map((one) => ({ ...one, result: undefined })) }
  await askAndKill(third, () => third.ask<'complete'>(complete as never))
  await broker.start()
  const last = await broker.wire({ session })
  const reply = await last.ask<'complete'>(complete as never)
  expect(reply.ok + (reply.already?.length ?? 0)).toBe(20)
  expect([0, 20]).toContain(reply.ok)
  expect(await last.stats(queue)).toMatchObject({ queued: 10, running: 0 })

  /** The broker dies while it is at it: perhaps before the commit, perhaps after it. */
  async function askAndKill(wire: WireClient, ask: () => Promise<unknown>): Promise<void> {
    const answer = ask().catch((error: unknown) => {
      if (error instanceof TqError) throw error
    })
    if (Math.random() < 0.5) await new Promise((resolve) => setImmediate(resolve))
    await broker.kill()
    await answer
    wire.destroy()
  }
})

it('remembers idempotency keys: the same task for the same request, CONFLICT for another', async () => {
  const queue = aQueueName()
  const broker = await aBroker()
  const proxy = await broker.proxy()
  const client = aClient(proxy)
  const options = { idempotencyKey: 'invoice-7', priority: 9 }
  const live = await client.enqueue(queue, 'mail', { to: 'ada' }, options)
  const ended = await client.enqueue(queue, 'mail', { to: 'bob' }, { idempotencyKey: 'done' })
  await client.cancel([ended.id])

  await broker.kill()
  await broker.start()

  const again = await client.enqueue(queue, 'mail', { to: 'ada' }, options)
  expect([again.id, again.existed]).toEqual([live.id, true])
  const stillEnded = await client.enqueue(queue, 'mail', { to: 'bob' }, { idempotencyKey: 'done' })
  expect([stillEnded.id, stillEnded.existed]).toEqual([ended.id, true])
  await expect(client.enqueue(queue, 'mail', { to: 'eve' }, options)).rejects.toMatchObject({
    code: 'CONFLICT',
  })
  await expect(
    client.enqueue(queue, 'mail', { to: 'ada' }, { ...options, priority: 10 }),
  ).rejects.toMatchObject({ code: 'CONFLICT' })
  const elsewhere = await client.enqueue(aQueueName(), 'mail', { to: 'ada' }, options)
  expect(elsewhere.existed).toBe(false)
  expect((await client.stats(queue)).queues[0]).toMatchObject({ queued: 1, kept: 1 })
})
