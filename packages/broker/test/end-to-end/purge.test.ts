// Purging a queue while tasks of it are held: those finish, the waiting ones are gone.

import { expect, it } from 'vitest'
import { aQueueName, aTask } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { heldOf, refusalOf, type WireClient } from './wire-client.ts'

const broker = sharedBroker()

it('takes away what waits in any state, lets the held ones finish, and counts right', async () => {
  const queue = aQueueName()
  const wire = await broker.wire()
  for (let chunk = 0; chunk < 3; chunk += 1) await wire.enqueue(queue, 1_000)
  const later = await wire.enqueue(queue, [aTask(queue, { options: { delayMs: 60_000 } })])
  const held = (await wire.claim(queue, { max: 6 })).tasks.map(heldOf)
  const failed = held.pop()!
  const error = { message: 'later' }
  await wire.ask<'fail'>({ verb: 'fail', tasks: [{ ...failed, error, retryAfterMs: 60_000 }] })
  const assigned = (await wire.claim(queue, { max: 1, start: false })).tasks.map(heldOf)
  expect(await wire.stats(queue)).toMatchObject({ scheduled: 1, retrying: 1, queued: 2_993 })

  expect(await purge(wire, queue)).toBe(2_995)

  expect(await wire.stats(queue)).toMatchObject({
    scheduled: 0,
    retrying: 0,
    queued: 0,
    assigned: 1,
    running: 5,
    kept: 0,
  })
  expect(await refusalOf(wire.task(later[0]!))).toBe('NOT_FOUND')
  expect(await refusalOf(wire.task(failed.id))).toBe('NOT_FOUND')
  for (const one of [...held, ...assigned]) expect(await wire.complete(one)).toEqual({ ok: 1 })
  expect(await wire.stats(queue)).toMatchObject({
    running: 0,
    assigned: 0,
    completedTotal: 6,
    kept: 6,
  })
  expect((await wire.claim(queue)).tasks).toEqual([])
})

it('leaves alone what was enqueued after it began, and other queues', async () => {
  const queue = aQueueName()
  const other = aQueueName()
  const wire = await broker.wire()
  for (let chunk = 0; chunk < 2; chunk += 1) await wire.enqueue(queue, 1_000)
  const stays = await wire.enqueue(other)
  const first = await wire.ask<'queue-purge'>({ verb: 'queue-purge', queue })
  expect(first).toMatchObject({ purged: 1_000, cursor: expect.any(String) })
  const late = await wire.enqueue(queue)

  const rest = await purge(wire, queue, first.cursor ?? undefined)

  expect(rest).toBe(1_000)
  expect((await wire.claim(queue, { max: 10 })).tasks.map((task) => task[0])).toEqual(late)
  expect((await wire.claim(other, { max: 10 })).tasks.map((task) => task[0])).toEqual(stays)
})

it('is durable: the tasks are not back after a restart, the held ones are', async () => {
  const queue = aQueueName()
  const before = await broker.wire()
  const ids = await before.enqueue(queue, 10)
  const held = heldOf((await before.claim(queue)).tasks[0])
  expect(await purge(before, queue)).toBe(9)

  await broker.kill()
  await broker.start()

  const wire = await broker.wire({ session: before.session })
  expect(await wire.stats(queue)).toMatchObject({ queued: 0, running: 1 })
  expect(await refusalOf(wire.task(ids[5]!))).toBe('NOT_FOUND')
  expect(await wire.complete(held)).toEqual({ ok: 1 })
})

async function purge(wire: WireClient, queue: string, from?: string): Promise<number> {
  let purged = 0
  let cursor: string | undefined = from
  do {
    const ask = cursor === undefined ? {} : { cursor }
    const step = await wire.ask<'queue-purge'>({ verb: 'queue-purge', queue, ...ask })
    purged += step.purged
    cursor = step.cursor ?? undefined
  } while (cursor !== undefined)
  return purged
}
