// Asking again for what has happened: a no-op that says so, on this connection and on the next.

import { describe, expect, it } from 'vitest'
import { aQueueName, aTask } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { heldOf } from './wire-client.ts'

const broker = sharedBroker()

describe('a claim sent again under its number', () => {
  it('gets the same leases and tokens on the same connection', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    await wire.enqueue(queue, 5)

    const first = await wire.claim(queue, { claim: 1, max: 3 })
    const again = await wire.claim(queue, { claim: 1, max: 3 })

    expect(first.tasks).toHaveLength(3)
    expect(again.tasks).toEqual(first.tasks)
    expect(await wire.stats(queue)).toMatchObject({ running: 3, queued: 2 })
  })

  it('gets the same leases and tokens after a reconnect, while the old connection still stands', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    await wire.enqueue(queue, 5)
    const first = await wire.claim(queue, { claim: 1, max: 3 })

    const next = await broker.wire({ session: wire.session })
    const again = await next.claim(queue, { claim: 1, max: 3 })

    expect(again.tasks).toEqual(first.tasks)
    expect(await next.stats(queue)).toMatchObject({ running: 3, queued: 2 })
  })

  it('moves from a connection where it is parked to the one that asks again', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const parked = wire.claim(queue, { claim: 1, waitMs: 30_000 })
    const next = await broker.wire({ session: wire.session })

    const moved = next.claim(queue, { claim: 1, waitMs: 30_000 })
    const [id] = await next.enqueue(queue)

    expect((await parked).tasks).toEqual([])
    expect(heldOf((await moved).tasks[0]).id).toEqual(id)
  })
})

describe('an end sent again with its token', () => {
  it('is already so for complete, on the same connection and on the next', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const [id] = await wire.enqueue(queue)
    const held = heldOf((await wire.claim(queue)).tasks[0])

    expect(await wire.complete(held)).toEqual({ ok: 1 })
    const before = await wire.task(held.id)
    expect(await wire.complete(held)).toEqual({ ok: 0, already: [0] })
    const next = await broker.wire({ session: wire.session })
    expect(await next.complete(held, Uint8Array.of(1))).toEqual({ ok: 0, already: [0] })

    expect(await next.task(held.id)).toEqual(before)
    expect(held.id).toEqual(id)
    expect(await next.stats(queue)).toMatchObject({ completedTotal: 1, kept: 1 })
  })

  it('is already so for a failure that made the task dead', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    await wire.enqueue(queue)
    const held = heldOf((await wire.claim(queue)).tasks[0])
    const failure = { ...held, error: { message: 'no use' }, retryable: false }

    const first = await wire.ask<'fail'>({ verb: 'fail', tasks: [failure] })
    const again = await wire.ask<'fail'>({ verb: 'fail', tasks: [failure] })

    expect(first).toEqual({ ok: 1, outcomes: [['dead', 0]] })
    expect(again).toEqual({ ok: 0, already: [0], outcomes: [['dead', 0]] })
    expect(await wire.stats(queue)).toMatchObject({ failedTotal: 1, deadTotal: 1 })
  })
})

describe('a cancel sent again', () => {
  it('is already so for a task that waited', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const ids = await wire.enqueue(queue)

    const first = await wire.ask<'cancel'>({ verb: 'cancel', ids, reason: 'one' })
    const before = await wire.task(ids[0]!)
    const next = await broker.wire()
    const again = await next.ask<'cancel'>({ verb: 'cancel', ids, reason: 'two' })

    expect(first).toEqual({ ok: 1, outcomes: ['cancelled'] })
    expect(again).toEqual({ ok: 0, already: [0], outcomes: ['cancelled'] })
    expect(await next.task(ids[0]!)).toEqual(before)
    expect(before.end).toMatchObject({ reason: 'cancelled', note: 'one' })
  })

  it('is already requested for a task that is held, until its worker confirms', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const ids = await wire.enqueue(queue)
    const held = heldOf((await wire.claim(queue)).tasks[0])

    const first = await wire.ask<'cancel'>({ verb: 'cancel', ids })
    const again = await wire.ask<'cancel'>({ verb: 'cancel', ids })
    expect(first).toEqual({ ok: 1, outcomes: ['requested'] })
    expect(again).toEqual({ ok: 0, already: [0], outcomes: ['requested'] })

    expect(await wire.release(held)).toEqual({ ok: 1 })
    expect(await wire.release(held)).toEqual({ ok: 0, already: [0] })
    expect((await wire.task(held.id)).state).toBe('cancelled')
  })
})

describe('an enqueue sent again', () => {
  it('names the tasks that are there already and makes no others', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const tasks = [aTask(queue), aTask(queue)]

    await wire.enqueue(queue, tasks)
    const next = await broker.wire()
    const again = { verb: 'enqueue' as const, queue, tasks, fresh: false, sentAgoMs: 100 }

    expect(await next.ask<'enqueue'>(again)).toMatchObject({ count: 2, existing: [0, 1] })
    expect(await next.stats(queue)).toMatchObject({ queued: 2, enqueuedTotal: 2 })
  })
})
