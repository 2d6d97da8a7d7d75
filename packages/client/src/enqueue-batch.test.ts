// Laws of enqueues that travel together.

import { type RequestOf, TqError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { aBroker, aClient } from '../test/rig.ts'
import type { Exchange } from '../test/scripted-broker.ts'
import { OpaqueBytes } from './opaque-bytes.ts'

function accept(exchange: Exchange<'enqueue'>): void {
  exchange.reply({ count: exchange.request.tasks.length })
}

function sizesOf(requests: readonly RequestOf<'enqueue'>[]): number[] {
  return requests.map((request) => request.tasks.length)
}

/** What no encoding can write. */
function aCycle(): unknown {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  return cycle
}

describe('enqueue', () => {
  it('sends the calls of one turn as one request, and answers each', async () => {
    const broker = await aBroker({
      enqueue: (exchange) => exchange.reply({ count: 3, existing: [1] }),
    })
    const client = aClient(broker)

    const handles = await Promise.all(
      ['a', 'b', 'c'].map((payload) => client.enqueue('mail', 'send', payload)),
    )

    expect(sizesOf(broker.requests('enqueue'))).toEqual([3])
    expect(broker.requests('enqueue')[0]?.fresh).toBe(true)
    expect(handles.map((handle) => handle.existed)).toEqual([false, true, false])
    expect(new Set(handles.map((handle) => handle.id)).size).toBe(3)
  })

  it('takes the ids that the broker gives instead', async () => {
    const broker = await aBroker({
      enqueue: (exchange) => {
        const known = Uint8Array.from(exchange.request.tasks[0]?.id ?? [])
        known[15] = 0
        exchange.reply({ count: 1, ids: [known], existing: [0] })
      },
    })

    const handle = await aClient(broker).enqueue('mail', 'send', 1, { idempotencyKey: 'k' })

    expect(handle.id).toMatch(/00$/)
    expect(handle.existed).toBe(true)
  })

  it('keeps queues, and given ids, apart', async () => {
    const broker = await aBroker({ enqueue: accept })
    const client = aClient(broker)
    const id = client.newTaskId('mail')

    await Promise.all([
      client.enqueue('mail', 'send', 1),
      client.enqueue('images', 'resize', 1),
      client.enqueue('mail', 'send', 1, { id }),
      client.enqueue('images', 'resize', 2),
    ])

    const requests = broker.requests('enqueue')
    expect(requests.map((request) => [request.queue, request.tasks.length, request.fresh])).toEqual(
      [
        ['mail', 1, true],
        ['images', 2, true],
        ['mail', 1, false],
      ],
    )
  })

  it('makes no request with more than 500 tasks or 1 MiB', async () => {
    const broker = await aBroker({ enqueue: accept })
    const client = aClient(broker)

    await Promise.all(Array.from({ length: 1_100 }, () => client.enqueue('mail', 'send', 1)))
    await Promise.all(
      [1, 2, 3].map(() => client.enqueue('mail', 'send', new OpaqueBytes(new Uint8Array(400_000)))),
    )

    expect(sizesOf(broker.requests('enqueue'))).toEqual([500, 500, 100, 2, 1])
  })

  it('fails only the task that a refusal names, and sends the others again', async () => {
    const broker = await aBroker({
      enqueue: (exchange) => {
        const { tasks } = exchange.request
        const bad = tasks.findIndex((task) => task.options?.priority === 999)
        if (bad < 0) accept(exchange)
        else exchange.refuse('CONFLICT', 'another request has this key', { index: bad })
      },
    })
    const client = aClient(broker)

    const ends = await Promise.allSettled([
      client.enqueue('mail', 'send', 1),
      client.enqueue('mail', 'send', 2, { priority: 255 }),
      client.enqueue('mail', 'send', 3, { priority: 254 }),
    ])
    expect(ends.map((end) => end.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])

    let refusals = 1
    broker.script = {
      enqueue: (exchange) => {
        if (refusals-- > 0)
          exchange.refuse('CONFLICT', 'another request has this key', { index: 1 })
        else accept(exchange)
      },
    }
    const later = await Promise.allSettled(
      [1, 2, 3].map((payload) => client.enqueue('mail', 'send', payload)),
    )

    expect(later.map((end) => end.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    const [, first, second] = broker.requests('enqueue')
    expect(second).toMatchObject({ fresh: false })
    expect(second?.sentAgoMs).toBeGreaterThanOrEqual(0)
    expect(second?.tasks).toEqual([first?.tasks[0], first?.tasks[2]])
  })

  it('finds the one whose bytes are refused', async () => {
    const broker = await aBroker({
      enqueue: (exchange) => {
        const isBad = exchange.request.tasks.some((task) => task.type === 'bad')
        if (isBad) exchange.refuse('TOO_LARGE', 'a string is too long', { offset: 10 })
        else accept(exchange)
      },
    })
    const client = aClient(broker)

    const ends = await Promise.allSettled(
      ['a', 'b', 'bad', 'c', 'd'].map((type) => client.enqueue('mail', type, 1)),
    )

    expect(ends.map((end) => end.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
  })

  it('fails all if the refusal is everybody’s', async () => {
    const broker = await aBroker({ enqueue: (exchange) => exchange.refuse('NO_SPACE') })
    const client = aClient(broker)

    const ends = await Promise.allSettled([1, 2].map((n) => client.enqueue('mail', 'send', n)))

    expect(ends.map((end) => end.status)).toEqual(['rejected', 'rejected'])
    expect(broker.requests('enqueue')).toHaveLength(1)
  })

  it('sends a call with options of its own alone', async () => {
    const broker = await aBroker()
    const client = aClient(broker)

    const one = client.enqueue('mail', 'send', 1, { priority: 9, call: { timeoutMs: 20 } })

    await expect(one).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(broker.requests('enqueue')[0]?.tasks[0]?.options).toEqual({ priority: 9 })
    broker.script = { enqueue: accept }
    expect((await client.enqueue('mail', 'send', 1, { call: {} })).existed).toBe(false)
  })

  it('leaves options out that say nothing', async () => {
    const broker = await aBroker({ enqueue: accept })
    const client = aClient(broker)

    await client.enqueue('mail', 'send', 1, {})

    expect(broker.requests('enqueue')[0]?.tasks[0]?.options).toBeUndefined()
  })

  it('refuses at once what can never be sent', async () => {
    const client = aClient({ address: '127.0.0.1:1' })
    const big = new OpaqueBytes(new Uint8Array(1024 * 1024 + 1))
    const foreign = client.newTaskId('another queue')

    await expect(client.enqueue('mail', 'send', big)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(client.enqueue('mail', 'send', aCycle())).rejects.toBeInstanceOf(TqError)
    await expect(client.enqueue('mail', 'send', 1, { id: foreign })).rejects.toThrow(
      'belongs to another queue',
    )
  })

  it('remembers the slots of many queues', async () => {
    const broker = await aBroker({ enqueue: accept })
    const client = aClient(broker)

    const ids = Array.from({ length: 1_500 }, (_, n) => client.newTaskId(`queue-${n}`))

    expect(new Set(ids).size).toBe(1_500)
    await client.enqueue('queue-3', 'send', 1, { id: ids[3] ?? '' })
  })
})

describe('enqueueMany', () => {
  const tasks = (count: number): { type: string; payload: number }[] => {
    return Array.from({ length: count }, (_, payload) => ({ type: 'send', payload }))
  }

  it('cuts many tasks into chunks of 1,000, in order', async () => {
    const broker = await aBroker({
      enqueue: (exchange) => {
        exchange.reply({ count: exchange.request.tasks.length, existing: [0] })
      },
    })

    const handles = await aClient(broker).enqueueMany('mail', tasks(4_500))

    expect(handles).toHaveLength(4_500)
    expect(sizesOf(broker.requests('enqueue'))).toEqual([1_000, 1_000, 1_000, 1_000, 500])
    expect([handles[0]?.existed, handles[1]?.existed]).toEqual([true, false])
    const sent = broker.requests('enqueue').flatMap((request) => request.tasks)
    const ids = sent.map((task) => Buffer.from(task.id ?? []).toString('hex'))
    expect(handles.map((handle) => handle.id.replaceAll('-', ''))).toEqual(ids)
  })

  it('keeps chunks within the bytes and nodes of a frame', async () => {
    const broker = await aBroker({ enqueue: accept })
    const client = aClient(broker)
    const payload = new OpaqueBytes(new Uint8Array(900_000))
    const headers = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`h${n}`, 'v']))

    await client.enqueueMany(
      'mail',
      [1, 2, 3].map(() => ({ type: 'send', payload })),
    )
    await client.enqueueMany(
      'mail',
      tasks(1_000).map((task) => ({ ...task, options: { headers } })),
    )

    const sizes = sizesOf(broker.requests('enqueue'))
    expect(sizes.slice(0, 2)).toEqual([2, 1])
    expect(sizes.length).toBeGreaterThan(4)
  })

  it('stops at a refused chunk and tells what was enqueued before', async () => {
    let chunks = 0
    const broker = await aBroker({
      enqueue: (exchange) => {
        chunks += 1
        if (chunks === 2) exchange.refuse('BAD_REQUEST', 'tasks[3] is wrong', { index: 3 })
        else accept(exchange)
      },
    })

    const error: unknown = await aClient(broker)
      .enqueueMany('mail', tasks(10_000))
      .catch((reason: unknown) => reason)

    expect(error).toMatchObject({ code: 'BAD_REQUEST', details: { index: 1_003 } })
    const { enqueued } = (error as TqError).details
    expect(enqueued).toBe((broker.requests('enqueue').length - 1) * 1_000)
    expect((error as TqError).message).toContain(`${String(enqueued)} tasks of this call`)
  })

  it('fails before it sends if a task cannot be encoded', async () => {
    const broker = await aBroker({ enqueue: accept })

    const many = aClient(broker).enqueueMany('mail', [{ type: 'send', payload: aCycle() }])

    await expect(many).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    expect(broker.requests('enqueue')).toHaveLength(0)
  })

  it('comes after enqueues of the same turn, and takes nothing for nothing', async () => {
    const broker = await aBroker({ enqueue: accept })
    const client = aClient(broker)

    await Promise.all([client.enqueue('mail', 'first', 1), client.enqueueMany('mail', tasks(1))])

    const types = broker.requests('enqueue').map((request) => request.tasks[0]?.type)
    expect(types).toEqual(['first', 'send'])
    expect(await client.enqueueMany('mail', [])).toEqual([])
  })
})
