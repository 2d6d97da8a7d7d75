// `task wait` against a broker.

import { describe, expect, it } from 'vitest'
import { adminOf } from '../../test/admin.ts'
import { sharedBroker } from '../../test/broker-process.ts'
import { TASK_ID } from '../../test/builders.ts'
import { aClient, aWorker } from '../../test/sdk.ts'

const broker = sharedBroker()

describe('task wait', () => {
  it('exits with 0 when the task has completed, and prints its result', async () => {
    const { id } = await aClient(broker).enqueue('done', 'echo', 'hi')
    const waiting = adminOf(broker)('task', 'wait', id)
    await aWorker(broker, 'done', { echo: ({ payload }) => payload })

    const ran = await waiting

    expect(ran).toMatchObject({ code: 0, out: '"hi"\n' })
    expect(ran.err).toMatch(new RegExp(`^task ${id} is completed after `))
  })

  it('exits with 1 when the task was cancelled', async () => {
    const { id } = await aClient(broker).enqueue('cancelled', 'echo', null)
    await aClient(broker).cancel([id], { reason: 'sent by mistake' })

    const ran = await adminOf(broker)('task', 'wait', id)

    expect(ran).toMatchObject({ code: 1, out: '' })
    expect(ran.err).toMatch(/is cancelled after \S+: sent by mistake\n$/)
  })

  it('exits with 1 when the task has expired', async () => {
    const { id } = await aClient(broker).enqueue('expired', 'echo', null, { ttlMs: 1 })

    const ran = await adminOf(broker)('task', 'wait', id)

    expect(ran.code).toBe(1)
    expect(ran.err).toContain('is expired')
  })

  it('exits with 6 when --timeout is over first', async () => {
    const { id } = await aClient(broker).enqueue('slow', 'echo', null)

    const ran = await adminOf(broker)('task', 'wait', id, '--timeout', '500ms')

    expect(ran).toMatchObject({ code: 6, out: '' })
    expect(ran.err).toBe(`error: task ${id} has not ended within 500 ms (TIMEOUT)\n`)
  })

  it('exits with 3 if there is no such task', async () => {
    expect((await adminOf(broker)('task', 'wait', TASK_ID)).code).toBe(3)
  })
})
