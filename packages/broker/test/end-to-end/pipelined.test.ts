// Requests sent in one breath: each sees what those before it have done, and all of that.

import { decodePayload, type TaskDescription, type TaskIdBytes } from '@tq/core'
import { expect, it } from 'vitest'
import { aQueueName, aTask } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { heldOf } from './wire-client.ts'

const broker = sharedBroker()

it('a task is found by whoever asks right after its enqueue, and claimed by whoever claims', async () => {
  const queue = aQueueName()
  const wire = await broker.wire()
  const spec = aTask(queue, { payload: 'here' })

  const enqueued = wire.enqueue(queue, [spec])
  const found = wire.ask<'get'>({ verb: 'get', id: spec.id!, payload: true })
  const claimed = wire.claim(queue)
  const stats = wire.stats(queue)

  expect(await enqueued).toEqual([spec.id])
  expect((await found).state).toBe('queued')
  expect(decodePayload((await found).payload!)).toBe('here')
  expect((await claimed).tasks[0]?.slice(0, 1)).toEqual([spec.id])
  expect(await stats).toMatchObject({ running: 1, queued: 0, enqueuedTotal: 1 })
})

it('the end of a task is told with its whole history, before and after it has left memory', async () => {
  const queue = aQueueName()
  const wire = await broker.wire()
  await wire.enqueue(queue, 30)
  const held = (await wire.claim(queue, { max: 30 })).tasks.map(heldOf)

  for (const [at, one] of held.entries()) {
    const { id, token } = one
    const fail = {
      verb: 'fail',
      tasks: [{ id, token, error: { message: 'no' }, retryable: false }],
    }
    const ended = at % 2 === 0 ? wire.complete(one) : wire.ask<'fail'>(fail as never)
    const atOnce = wire.task(id)
    expect(await ended).toMatchObject({ ok: 1 })
    const later = await wire.task(id)

    expect(endOf(await atOnce)).toEqual(at % 2 === 0 ? 'completed' : 'dead')
    expect(await atOnce).toEqual(later)
  }
})

it('whoever waits for the end of a task finds its whole history when it is told', async () => {
  const queue = aQueueName()
  const wire = await broker.wire()
  const other = await broker.wire()
  await wire.enqueue(queue, 50)
  const held = (await wire.claim(queue, { max: 50 })).tasks.map(heldOf)

  for (const one of held) {
    const waited = other.ask<'wait'>({ verb: 'wait', id: one.id, waitMs: 30_000 })
    const found = waited.then(() => other.task(one.id))
    void wire.complete(one)

    expect(await waited).toMatchObject({ done: true, task: { state: 'completed' } })
    expect(endOf(await found)).toBe('completed')
  }
})

it('a list shows each task once, whatever is just happening to it', async () => {
  const queue = aQueueName()
  const wire = await broker.wire()
  const statesOf = async (id: TaskIdBytes): Promise<string[]> => {
    const { tasks } = await wire.ask<'list'>({ verb: 'list', queue, limit: 1_000 })
    const rows = tasks.filter((row) => Buffer.compare(row.id, id) === 0)
    return rows.map(({ state }) => state)
  }
  for (let round = 0; round < 20; round += 1) {
    const task = aTask(queue)
    const enqueued = wire.enqueue(queue, [task])
    const waits = statesOf(task.id!)
    await enqueued
    expect(await waits).toEqual(['queued'])

    const held = heldOf((await wire.claim(queue)).tasks[0])
    const completed = wire.complete(held)
    const ended = statesOf(task.id!)
    await completed
    expect(await ended).toEqual(['completed'])
  }
})

/** The last state in the history, if there is just one attempt in it. */
function endOf({ history }: TaskDescription): string | undefined {
  return history?.length === 1 ? history[0]?.transitions.at(-1)?.state : undefined
}
