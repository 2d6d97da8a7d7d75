// Processes that stand still and lines that go dead: nobody works on a task that somebody else has.

import { TaskStoppedError } from '@tq/client'
import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import type { Way } from './fault-proxy.ts'
import { aClient, aWorker } from './sdk.ts'
import { aQueueName } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { heldOf } from './wire-client.ts'
import { WorkerFleet } from './worker-fleet.ts'

const LEASE_MS = 1_500

const broker = sharedBroker('--workers-heartbeat-ms=400', `--workers-dead-ms=${LEASE_MS}`)

describe('a worker that was frozen', () => {
  it('loses its task, and cannot end it when it wakes up; it goes on with others', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    const fleet = await WorkerFleet.start(broker, 1, { queue, concurrency: 1, leaseMs: LEASE_MS })
    const handle = await client.enqueue(queue, 'note', fleet.payload(true))
    await eventually(async () => expect(await fleet.runs()).toHaveLength(1))
    const [frozen] = fleet.workers
    frozen!.signal('SIGSTOP')
    await eventually(async () => expect((await client.get(handle.id)).losses).toBe(1))
    const successor = fleet.add('successor')
    await eventually(async () => expect(await fleet.runs()).toHaveLength(2))
    await fleet.open()
    expect(await handle.result()).toBe(2)
    const before = await client.get(handle.id)

    await successor.kill()
    // The broker knows that it is gone: nothing is given to it any more.
    await eventually(async () => {
      expect((await client.stats(queue)).queues[0]!.waitingClaims).toBe(0)
    })
    frozen!.signal('SIGCONT')
    const next = await client.enqueue(queue, 'note', fleet.payload(false))

    expect(await next.result()).toBe(1)
    expect((await fleet.runs()).map(({ pid }) => pid)).toEqual([
      frozen!.pid,
      successor.pid,
      frozen!.pid,
    ])
    expect(await client.get(handle.id)).toEqual(before)
  })
})

describe('a broker that was frozen', () => {
  it('does not make its workers pay: leases are longer by that time', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    await wire.ask({ verb: 'register', name: 'w', version: '1', labels: {}, slots: 5 })
    await wire.enqueue(queue, 5)
    const held = (await wire.claim(queue, { max: 5, leaseMs: LEASE_MS })).tasks.map(heldOf)

    broker.process.signal('SIGSTOP')
    await pastMs(LEASE_MS + 700)
    broker.process.signal('SIGCONT')

    // It looks at what has ended before it hears of anybody.
    const other = await broker.wire()
    expect(await other.stats(queue)).toMatchObject({ running: 5, lostTotal: 0 })
    const beat = { verb: 'heartbeat', leases: held, received: 1 } as const
    expect(await wire.ask<'heartbeat'>(beat)).toEqual({})
    for (const one of held) expect(await wire.complete(one)).toEqual({ ok: 1 })
    expect(broker.process.output).toContain('"event":"stalled"')
  })
})

describe('a bad line', () => {
  it('makes a worker stop before anybody else can begin if it is dead, and costs nothing if it is slow', async () => {
    // At the same time: most of it is waiting.
    await Promise.all([cutOff('up'), cutOff('down'), slowDown()])
  })
})

/** A worker's line is cut in the middle of a task; another worker takes the task over. */
async function cutOff(blackhole: Way): Promise<void> {
  const queue = aQueueName()
  const client = aClient(broker)
  const proxy = await broker.proxy()
  const seen: { readonly what: string; readonly atMs: number; readonly reason?: unknown }[] = []
  const note = (what: string, reason?: unknown): void => {
    seen.push({ what, atMs: performance.now(), reason })
  }
  const options = { queues: [queue], leaseMs: LEASE_MS, connectTimeoutMs: 1_000 }
  const worker = aWorker(proxy, { ...options, name: 'cut-off' })
  worker.handle('*', async (_, { signal }) => {
    note('begun')
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    note('stopped', signal.reason)
    signal.throwIfAborted()
  })
  await worker.start()
  const handle = await client.enqueue(queue, 'work', {})
  await eventually(() => expect(seen).toHaveLength(1))
  const other = aWorker(broker, { ...options, name: 'other' })
  other.handle('*', () => note('begun again'))
  await other.start()

  const cutMs = performance.now()
  proxy.faults = { blackhole }
  await handle.result({ timeoutMs: 15_000 })

  const [, stopped, again] = seen
  expect(seen.map(({ what }) => what)).toEqual(['begun', 'stopped', 'begun again'])
  expect(stopped!.atMs - cutMs).toBeLessThan(LEASE_MS + 200)
  expect(again!.atMs).toBeGreaterThan(stopped!.atMs)
  expect(stopped!.reason).toBeInstanceOf(TaskStoppedError)
  expect(stopped!.reason).toMatchObject({ reason: 'lease-lost' })
  expect(await client.get(handle.id)).toMatchObject({ state: 'completed', failures: 0 })
  // The worker that was cut off can take its leave.
  proxy.faults = {}
  proxy.dropAll()
}

/** A worker's line is slow, and its task takes longer than its lease. */
async function slowDown(): Promise<void> {
  const queue = aQueueName()
  const client = aClient(broker)
  const proxy = await broker.proxy()
  proxy.faults = { delayMs: 150 }
  const worker = aWorker(proxy, { queues: [queue], leaseMs: LEASE_MS })
  let runs = 0
  worker.handle('*', async (_, { signal }) => {
    runs += 1
    await pastMs(LEASE_MS + 500)
    signal.throwIfAborted()
  })
  await worker.start()

  const handle = await client.enqueue(queue, 'work', {})

  await handle.result({ timeoutMs: 15_000 })
  expect(runs).toBe(1)
  expect(await client.get(handle.id)).toMatchObject({ attempt: 1, losses: 0, failures: 0 })
}

function pastMs(ms: number): Promise<void> {
  const untilMs = performance.now() + ms
  return eventually(() => expect(performance.now()).toBeGreaterThan(untilMs))
}
