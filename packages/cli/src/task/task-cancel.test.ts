// `task cancel` against a broker.

import { describe, expect, it } from 'vitest'
import { adminOf } from '../../test/admin.ts'
import { sharedBroker } from '../../test/broker-process.ts'
import { TASK_ID } from '../../test/builders.ts'
import { aClient, aWorker, anEndlessHandler } from '../../test/sdk.ts'

const broker = sharedBroker()

describe('task cancel', () => {
  it('cancels what waits, and keeps the reason', async () => {
    const { id } = await aClient(broker).enqueue('waiting', 'welcome', null)

    const ran = await adminOf(broker)('task', 'cancel', id, '--reason', 'wrong address')

    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toMatch(new RegExp(`^${id}  cancelled$`, 'm'))
    const { end } = await aClient(broker).get(id)
    expect(end).toMatchObject({ reason: 'cancelled', note: 'wrong address' })
  })

  it('asks the worker of what runs', async () => {
    const { handler, started } = anEndlessHandler()
    await aWorker(broker, 'running', { slow: handler })
    const { id } = await aClient(broker).enqueue('running', 'slow', null)
    await started

    const ran = await adminOf(broker)('task', 'cancel', id)
    const waited = await adminOf(broker)('task', 'wait', id)

    expect(ran.out).toContain(`${id}  requested; its worker will stop it`)
    expect(waited.code).toBe(1)
    expect(waited.err).toContain('is cancelled')
  })

  it('says what had been cancelled before', async () => {
    const { id } = await aClient(broker).enqueue('twice', 'welcome', null)
    await adminOf(broker)('task', 'cancel', id)

    const ran = await adminOf(broker)('task', 'cancel', id, '-o', 'json')

    expect(ran.code).toBe(0)
    expect(JSON.parse(ran.out)).toEqual({
      schema: 1,
      tasks: [{ id, outcome: 'cancelled', already: true }],
    })
  })

  it('exits with the cause if all are refused for it', async () => {
    const ran = await adminOf(broker)('task', 'cancel', TASK_ID)

    expect(ran.code).toBe(3)
    expect(ran.out).toContain('NOT_FOUND: ')
  })

  it('exits with 7 if some are refused', async () => {
    const { id } = await aClient(broker).enqueue('some', 'welcome', null)

    const ran = await adminOf(broker)('task', 'cancel', TASK_ID, id, '-o', 'json')

    expect(ran.code).toBe(7)
    expect(JSON.parse(ran.out)).toMatchObject({
      tasks: [
        { id: TASK_ID, outcome: 'refused', code: 'NOT_FOUND', message: expect.any(String) },
        { id, outcome: 'cancelled', already: false },
      ],
    })
  })

  it('takes more ids than fit a request', async () => {
    const tasks = Array.from({ length: 1_001 }, () => ({ type: 'welcome', payload: null }))
    const handles = await aClient(broker).enqueueMany('many', tasks)

    const ran = await adminOf(broker)('task', 'cancel', ...handles.map(({ id }) => id))

    expect(ran.code).toBe(0)
    expect(ran.out.match(/ cancelled$/gm)).toHaveLength(1_001)
  })

  it('refuses what is no id before it cancels anything', async () => {
    const { id } = await aClient(broker).enqueue('mistyped', 'welcome', null)

    const ran = await adminOf(broker)('task', 'cancel', id, 'abc')

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect((await aClient(broker).get(id)).state).toBe('queued')
  })
})
