// `task list` against a broker.

import { TqClient } from '@tq/client'
import { beforeAll, describe, expect, it } from 'vitest'
import { adminOf } from '../../test/admin.ts'
import { sharedBroker } from '../../test/broker-process.ts'

const broker = sharedBroker()
let ids: readonly string[]

beforeAll(async () => {
  const client = new TqClient({ address: broker.address })
  const tasks = Array.from({ length: 1_005 }, (_, index) => {
    return { type: index < 3 ? 'rare' : 'usual', payload: index }
  })
  ids = (await client.enqueueMany('many', tasks)).map(({ id }) => id)
  await client.cancel(ids.slice(0, 1))
  await client.close()
})

describe('task list', () => {
  it('lists the tasks of a queue and a type, whole ids in order', async () => {
    const ran = await adminOf(broker)('task', 'list', '--queue', 'many', '--type', 'rare')

    const [head, ...rows] = ran.out.trimEnd().split('\n')
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(head).toMatch(/^task +queue +type +state +priority +attempt +created/)
    // Those that have not ended come first.
    expect(rows.map((row) => row.split(' ')[0])).toEqual([ids[1], ids[2], ids[0]])
  })

  it('lists by state', async () => {
    const ran = await adminOf(broker)('task', 'list', '--state', 'cancelled', '-o', 'json')

    expect(JSON.parse(ran.out)).toMatchObject({
      schema: 1,
      tasks: [{ id: ids[0], queue: 'many', type: 'rare', state: 'cancelled' }],
      cursor: null,
    })
  })

  it('says how to go on, and goes on there', async () => {
    const run = adminOf(broker)
    const first = await run('task', 'list', '--limit', '2')
    const cursor = /there may be more: add --cursor (\S+)/.exec(first.err)?.[1] ?? ''

    const second = await run('task', 'list', '--limit', '2', '--cursor', cursor)

    const listed = [first, second].flatMap(({ out }) => out.trimEnd().split('\n').slice(1))
    expect(listed.map((row) => row.split(' ')[0])).toEqual(ids.slice(1, 5))
  })

  it('gathers more tasks than the broker tells at a time', async () => {
    const ran = await adminOf(broker)('task', 'list', '--limit', '1100', '-o', 'json')

    const { tasks, cursor } = JSON.parse(ran.out) as { tasks: unknown[]; cursor: null }
    expect(tasks).toHaveLength(1_005)
    expect(cursor).toBeNull()
  })

  it('says so if there is none, and prints nothing', async () => {
    const ran = await adminOf(broker)('task', 'list', '--state', 'dead')

    expect(ran).toEqual({ code: 0, out: '', err: 'no such tasks\n' })
  })

  it('refuses a cursor of its own making with 2', async () => {
    const ran = await adminOf(broker)('task', 'list', '--cursor', 'made-up')

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain('made-up')
  })
})
