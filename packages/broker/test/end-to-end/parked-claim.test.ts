// Claims that wait: one of many gets the task, those of closed connections get none.

import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { aQueueName, aTask } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { heldOf, type WireClient } from './wire-client.ts'

const broker = sharedBroker()

const CONNECTIONS = 100

describe('one task and 100 claims from 100 connections', () => {
  it('goes to one of those that were parked; the others wait on', async () => {
    const queue = aQueueName()
    const wires = await connections()
    const claims = wires.map((wire) => wire.beginClaim(queue, { waitMs: 30_000 }))
    const producer = await broker.wire()
    await eventually(async () => {
      await producer.ask({ verb: 'queue-set', queue, settings: {} })
      expect((await producer.stats(queue)).waitingClaims).toBe(CONNECTIONS)
    })

    const [id] = await producer.enqueue(queue)

    const winner = await Promise.race(claims.map(async ({ answer }) => (await answer).tasks))
    expect(winner.map((task) => task[0])).toEqual([id])
    expect(await producer.stats(queue)).toMatchObject({ running: 1, waitingClaims: 99 })
    for (const [at, { id: request }] of claims.entries()) {
      await wires[at]!.ask<'abort'>({ verb: 'abort', id: request })
    }
    const answers = await Promise.all(claims.map(({ answer }) => answer))
    expect(answers.filter(({ tasks }) => tasks.length > 0)).toHaveLength(1)
    expect(await producer.stats(queue)).toMatchObject({ running: 1, waitingClaims: 0 })
  })

  it('goes to one of those that ask at once; the others hear that there is nothing', async () => {
    const queue = aQueueName()
    const wires = await connections()
    await wires[0]!.enqueue(queue)

    const answers = await Promise.all(wires.map((wire) => wire.claim(queue)))

    expect(answers.filter(({ tasks }) => tasks.length > 0)).toHaveLength(1)
    expect(await wires[0]!.stats(queue)).toMatchObject({ running: 1, queued: 0 })
  })
})

describe('a parked claim', () => {
  it('is served in the order in which claims came', async () => {
    const queue = aQueueName()
    const wires = await connections(5)
    const claims = []
    for (const wire of wires) {
      claims.push(wire.claim(queue, { waitMs: 30_000 }))
      await wire.ask({ verb: 'ping' })
    }
    const producer = await broker.wire()

    const ids = await producer.enqueue(queue, wires.length)

    const got = (await Promise.all(claims)).map(({ tasks }) => heldOf(tasks[0]).id)
    expect(got).toEqual(ids)
  })

  it('answers empty when it is aborted, and gets nothing afterwards', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const { id, answer } = wire.beginClaim(queue, { waitMs: 30_000 })

    expect(await wire.ask<'abort'>({ verb: 'abort', id })).toEqual({ aborted: true })
    expect(await answer).toEqual({ tasks: [], leaseMs: 0 })
    expect(await wire.ask<'abort'>({ verb: 'abort', id })).toEqual({ aborted: false })

    await wire.enqueue(queue)
    expect(await wire.stats(queue)).toMatchObject({ queued: 1, running: 0, waitingClaims: 0 })
  })

  it('answers empty when its time has passed, and gets nothing afterwards', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()

    expect(await wire.claim(queue, { waitMs: 50 })).toEqual({ tasks: [], leaseMs: 0 })

    await wire.enqueue(queue)
    expect(await wire.stats(queue)).toMatchObject({ queued: 1, running: 0, waitingClaims: 0 })
  })

  it('goes with its connection, broken or ended', async () => {
    const queue = aQueueName()
    const producer = await broker.wire()
    await producer.ask({ verb: 'queue-set', queue, settings: {} })
    const wires = await connections(20)
    for (const wire of wires) void wire.claim(queue, { waitMs: 30_000 }).catch(() => undefined)
    await eventually(async () => {
      expect((await producer.stats(queue)).waitingClaims).toBe(20)
    })

    for (const [at, wire] of wires.entries()) {
      if (at % 2 === 0) wire.destroy()
      else wire.end()
    }

    await eventually(async () => {
      expect((await producer.stats(queue)).waitingClaims).toBe(0)
    })
    const ids = await producer.enqueue(queue, 5)
    expect(await producer.stats(queue)).toMatchObject({ queued: 5, running: 0 })
    expect((await producer.claim(queue, { max: 5 })).tasks.map((task) => task[0])).toEqual(ids)
  })

  it('goes with an ended connection even if that has not read its answers', async () => {
    const queue = aQueueName()
    const big = aQueueName()
    const producer = await broker.wire()
    const payload = 'x'.repeat(1_000_000)
    const [id] = await producer.enqueue(big, [aTask(big, { payload })])
    const wire = await broker.wire()
    await wire.ask({ verb: 'queue-set', queue, settings: {} })
    wire.pause()
    for (let count = 0; count < 9; count += 1) {
      void wire.ask<'get'>({ verb: 'get', id: id!, payload: true }).catch(() => undefined)
    }
    void wire.claim(queue, { waitMs: 30_000 }).catch(() => undefined)
    await eventually(async () => {
      expect((await producer.stats(queue)).waitingClaims).toBe(1)
    })

    wire.end()

    await eventually(
      async () => {
        expect((await producer.stats(queue)).waitingClaims).toBe(0)
      },
      { deadlineMs: 3_000 },
    )
    await producer.enqueue(queue)
    expect(await producer.stats(queue)).toMatchObject({ queued: 1, running: 0 })
  })
})

function connections(count: number = CONNECTIONS): Promise<WireClient[]> {
  return Promise.all(Array.from({ length: count }, () => broker.wire()))
}
