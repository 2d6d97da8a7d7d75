// The same without root: a floor above what is free, and a limit of the system on the size of files.

import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { TaskIdBytes, TqError } from '@tq/core'
import { expect, it, onTestFinished } from 'vitest'
import { aQueueName, aTask } from '../end-to-end/task-spec.ts'
import { aBroker, TestBroker } from '../end-to-end/test-broker.ts'
import { heldOf } from '../end-to-end/wire-client.ts'

it('refuses enqueue with NO_SPACE below the floor, and lets tasks be claimed, renewed and ended', async () => {
  const queue = aQueueName()
  const broker = await aBroker()
  const before = await broker.wire()
  const ids = await before.enqueue(queue, 5)
  const held = heldOf((await before.claim(queue)).tasks[0])
  await broker.stop()

  const { bavail, bsize } = await statfs(tmpdir())
  await broker.start([`--limits-free-bytes-min=${2 * bavail * bsize}`])

  const wire = await broker.wire({ session: before.session })
  const refused = await wire.enqueue(queue, 1).catch((error: TqError) => error)
  expect(refused).toMatchObject({ code: 'NO_SPACE', retryable: true })
  expect((refused as TqError).retryAfterMs).toBeGreaterThan(0)
  expect(await wire.stats(queue)).toMatchObject({ queued: 4, running: 1 })

  const beat = { verb: 'heartbeat', leases: [held], received: 1 } as const
  expect(await wire.ask<'heartbeat'>(beat)).toEqual({})
  expect(await wire.complete(held)).toEqual({ ok: 1 })
  const { tasks } = await wire.claim(queue, { claim: 2, max: 4 })
  const [one, two, three, four] = tasks.map(heldOf)
  expect(await wire.complete(one!, Buffer.alloc(100_000))).toEqual({ ok: 1 })
  const failure = { ...two!, error: { message: 'no' }, retryable: false }
  expect(await wire.ask<'fail'>({ verb: 'fail', tasks: [failure] })).toMatchObject({ ok: 1 })
  expect(await wire.release(three!)).toEqual({ ok: 1 })
  expect(await wire.ask<'cancel'>({ verb: 'cancel', ids: [four!.id] })).toMatchObject({ ok: 1 })
  expect(await wire.release(four!)).toEqual({ ok: 1 })
  expect(ids).toHaveLength(5)
  expect(await wire.stats(queue)).toMatchObject({ queued: 1, running: 0, completedTotal: 2 })
})

it('ends within a second of a failed commit, and keeps what was acknowledged', async () => {
  const queue = aQueueName()
  const broker = new TestBroker([])
  onTestFinished(() => broker.remove())
  await broker.start([], { fileBlocksMax: 6_000 })
  const wire = await broker.wire()
  const acknowledged: TaskIdBytes[] = []
  let answeredMs = performance.now()
  const fill = async (): Promise<void> => {
    while (!wire.isClosed) {
      const task = aTask(queue, { payload: 'x'.repeat(50_000) })
      await wire.ask<'enqueue'>({ verb: 'enqueue', queue, tasks: [task], fresh: true })
      acknowledged.push(task.id!)
      answeredMs = performance.now()
    }
  }
  await Promise.allSettled([fill(), fill(), fill(), fill()])

  const { code } = await broker.process.exited

  expect(code).toBe(1)
  expect(performance.now() - answeredMs).toBeLessThan(1_500)
  expect(broker.process.output).toContain('"event":"failed"')
  await broker.start()
  const next = await broker.wire()
  expect(acknowledged.length).toBeGreaterThan(10)
  for (const id of acknowledged) expect((await next.task(id)).state).toBe('queued')
  const { queued } = await next.stats(queue)
  expect(queued - acknowledged.length).toBeGreaterThanOrEqual(0)
  expect(queued - acknowledged.length).toBeLessThanOrEqual(4)
})
