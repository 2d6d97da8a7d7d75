// What time does to tasks, and what their workers notice: delays, time to live, timeouts, cancels.

import { TaskFailedError, TaskStoppedError } from '@tq/client'
import { describe, expect, it } from 'vitest'
import { durationMs, eventually } from './eventually.ts'
import { aClient, aWorker } from './sdk.ts'
import { aQueueName } from './task-spec.ts'
import { aBroker, sharedBroker } from './test-broker.ts'

// Heartbeats are so slow here that a stop which comes soon was pushed.
const broker = sharedBroker('--workers-heartbeat-ms=5000')

describe('a delayed task', () => {
  it('is not given out before it is due, and soon after, also when the claim waits', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const client = aClient(broker)
    const sinceMs = performance.now()
    const handle = await client.enqueue(queue, 'later', {}, { delayMs: 400 })
    expect((await wire.claim(queue)).tasks).toEqual([])
    expect(await client.get(handle.id)).toMatchObject({ state: 'scheduled' })

    const { tasks } = await wire.claim(queue, { waitMs: 10_000 })

    const tookMs = performance.now() - sinceMs
    expect(tasks).toHaveLength(1)
    expect(tookMs).toBeGreaterThanOrEqual(399)
    expect(tookMs).toBeLessThan(1_400)
  })

  it('is still due at its time after the broker was killed', async () => {
    const queue = aQueueName()
    const own = await aBroker()
    const dueMs = Date.now() + 1_000
    const before = await own.wire()
    await before.ask({ verb: 'queue-set', queue, settings: {} })
    await aClient(own).enqueue(queue, 'later', {}, { runAtMs: dueMs })

    await own.kill()
    await own.start()

    const wire = await own.wire()
    const { tasks } = await wire.claim(queue, { waitMs: 10_000 })
    expect(tasks).toHaveLength(1)
    expect(Date.now()).toBeGreaterThanOrEqual(dueMs)
    expect(Date.now()).toBeLessThan(dueMs + 1_500)
  })
})

describe('a time to live', () => {
  it('ends a task that nobody has started, and none that has been', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    const wire = await broker.wire()
    const started = await client.enqueue(queue, 'soon', {}, { ttlMs: 600 })
    expect((await wire.claim(queue)).tasks).toHaveLength(1)
    const missed = await client.enqueue(queue, 'soon', {}, { ttlMs: 600 })

    const failure = await missed.result().catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(TaskFailedError)
    expect(await client.get(missed.id)).toMatchObject({
      state: 'expired',
      end: { reason: 'expired' },
    })
    expect((await wire.claim(queue)).tasks).toEqual([])
    expect((await client.get(started.id)).state).toBe('running')
  })
})

describe('an execution timeout', () => {
  it('aborts the signal of the handler and counts as a failure; the late result is not taken', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    const stops: unknown[] = []
    const worker = aWorker(broker, { queues: [queue] })
    worker.handle('slow', async (_, { signal, attempt }) => {
      if (attempt === 2) return 'in time'
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      stops.push(signal.reason)
      return 'too late'
    })
    await worker.start()

    const retry = { kind: 'fixed', baseMs: 10, jitter: 0 } as const
    const handle = await client.enqueue(queue, 'slow', {}, { timeoutMs: 300, retry })

    expect(await handle.result()).toBe('in time')
    expect(stops).toEqual([expect.any(TaskStoppedError)])
    expect(stops[0]).toMatchObject({ reason: 'timed_out' })
    const { failures, losses, history } = await client.get(handle.id)
    expect({ failures, losses }).toEqual({ failures: 1, losses: 0 })
    expect(history![0]).toMatchObject({ attempt: 1, error: { type: 'ExecutionTimeout' } })
    const [ran, ended] = history![0]!.transitions.slice(-2)
    expect(ended).toMatchObject({ state: 'retrying', reason: 'timed_out' })
    expect(ended!.atMs - ran!.atMs).toBeGreaterThanOrEqual(299)
    expect(ended!.atMs - ran!.atMs).toBeLessThan(1_300)
  })
})

describe('a cancel', () => {
  it('reaches the running handler at once, and is confirmed by its worker', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    const stops: unknown[] = []
    const worker = aWorker(broker, { queues: [queue] })
    worker.handle('long', async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      stops.push(signal.reason)
      signal.throwIfAborted()
    })
    await worker.start()
    const handle = await client.enqueue(queue, 'long', {})
    await eventually(async () => expect((await client.get(handle.id)).state).toBe('running'))

    const tookMs = await durationMs(async () => {
      const { outcomes } = await client.cancel([handle.id], { reason: 'not needed' })
      expect(outcomes).toEqual(['requested'])
      await expect(handle.result()).rejects.toThrow(TaskFailedError)
    })

    expect(tookMs).toBeLessThan(1_500)
    expect(stops).toEqual([expect.any(TaskStoppedError)])
    expect(stops[0]).toMatchObject({ reason: 'cancelled' })
    expect(await client.get(handle.id)).toMatchObject({
      state: 'cancelled',
      end: { reason: 'cancelled', note: 'not needed' },
    })
    expect(worker.health().running).toBe(0)
  })

  it('is repeated by heartbeats to a worker that was not there to hear it', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const ids = await wire.enqueue(queue)
    const [task] = (await wire.claim(queue, { leaseMs: 60_000 })).tasks
    wire.destroy()
    const operator = await broker.wire()
    await operator.ask<'cancel'>({ verb: 'cancel', ids })

    const next = await broker.wire({ session: wire.session })
    const [id, token] = task!
    const beat = { verb: 'heartbeat', leases: [{ id, token }], received: 1 } as const

    expect((await next.ask<'heartbeat'>(beat)).stop).toEqual([[id, token, 'cancelled']])
    expect((await next.complete({ id, token })).refused?.[0]?.[1]).toBe('INVALID_STATE')
    expect(await next.release({ id, token })).toEqual({ ok: 1 })
    expect((await next.task(id)).state).toBe('cancelled')
  })
})
