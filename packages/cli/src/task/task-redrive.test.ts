// `task redrive` against a broker: by ids, and by what the tasks are.

import { describe, expect, it } from 'vitest'
import { adminOf } from '../../test/admin.ts'
import { sharedBroker } from '../../test/broker-process.ts'
import { TASK_ID } from '../../test/builders.ts'
import { aClient, aWorker } from '../../test/sdk.ts'

const broker = sharedBroker()

describe('task redrive', () => {
  it('lets the tasks with these ids live again', async () => {
    const [id = ''] = await deadTasks('by-id', 1)

    const ran = await adminOf(broker)('task', 'redrive', id)

    expect(ran).toEqual({ code: 0, out: '', err: '1 task redriven, 0 refused\n' })
    expect(await aClient(broker).get(id)).toMatchObject({ state: 'queued', generation: 1 })
  })

  it('lets all that died in a queue live again, and no others', async () => {
    const dead = await deadTasks('all', 3)
    const [other = ''] = await deadTasks('other', 1)
    const cancelled = await aClient(broker).enqueue('all', 'welcome', null)
    await aClient(broker).cancel([cancelled.id])

    const ran = await adminOf(broker)('task', 'redrive', '--queue', 'all', '-o', 'json')

    expect(JSON.parse(ran.out)).toEqual({ schema: 1, redriven: 3, refused: [] })
    expect(await statesOf([...dead, other, cancelled.id])).toEqual([
      'queued',
      'queued',
      'queued',
      'dead',
      'cancelled',
    ])
  })

  it('keeps to the type, the state and the limit', async () => {
    const dead = await deadTasks('narrow', 3)
    const narrow = ['--queue', 'narrow', '--type', 'broken', '--state', 'dead', '--limit', '2']

    const none = await adminOf(broker)('task', 'redrive', ...narrow.with(3, 'another'))
    const some = await adminOf(broker)('task', 'redrive', ...narrow)

    expect(none).toMatchObject({ code: 0, err: '0 tasks redriven, 0 refused\n' })
    expect(some).toMatchObject({ code: 0, err: '2 tasks redriven, 0 refused\n' })
    expect((await statesOf(dead)).toSorted()).toEqual(['dead', 'queued', 'queued'])
  })

  it('only counts them with --dry-run', async () => {
    const dead = await deadTasks('counted', 2)

    const ran = await adminOf(broker)('task', 'redrive', '--queue', 'counted', '--dry-run')

    expect(ran).toEqual({ code: 0, out: '', err: '2 tasks would be redriven\n' })
    expect(await statesOf(dead)).toEqual(['dead', 'dead'])
  })

  it('exits with the cause if all are refused for it, with 7 if some are', async () => {
    const [id = ''] = await deadTasks('refused', 1)

    const some = await adminOf(broker)('task', 'redrive', id, TASK_ID)
    const all = await adminOf(broker)('task', 'redrive', id)

    expect(some.code).toBe(7)
    expect(some.out).toContain(`${TASK_ID}  NOT_FOUND: `)
    expect(all.code).toBe(4)
    expect(all.out).toContain(`${id}  INVALID_STATE: `)
  })

  it.each([
    [[], 'name the tasks: ids, --queue, --type, or --all'],
    [['--state', 'dead'], 'name the tasks'],
    [[TASK_ID, '--all'], 'ids name the tasks already'],
    [[TASK_ID, '--dry-run'], 'ids name the tasks already'],
    [['abc'], 'is not a task id'],
    [['--all', '--state', 'queued'], 'Allowed choices are dead, cancelled, expired'],
  ])('refuses %j', async (args, text) => {
    const ran = await adminOf(broker)('task', 'redrive', ...args)

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain(text)
  })
})

/** Tasks of the type "broken" that failed once and are dead. */
async function deadTasks(queue: string, count: number): Promise<readonly string[]> {
  const client = aClient(broker)
  const tasks = Array.from({ length: count }, () => ({
    type: 'broken',
    payload: null,
    options: { maxAttempts: 1 },
  }))
  const handles = await client.enqueueMany(queue, tasks)
  const worker = await aWorker(broker, queue, {
    broken: () => Promise.reject(new Error('on purpose')),
  })
  for (const { id } of handles) await client.wait(id)
  await worker.stop()
  return handles.map(({ id }) => id)
}

async function statesOf(ids: readonly string[]): Promise<readonly string[]> {
  const tasks = await Promise.all(ids.map((id) => aClient(broker).get(id)))
  return tasks.map(({ state }) => state)
}
