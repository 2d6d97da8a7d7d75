// Laws of the typed verbs: what they send and how they show the answer.

import { encodePayload, type TaskDescription, type TqError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { ManualTime } from '../test/manual-time.ts'
import { aBroker, aClient } from '../test/rig.ts'
import { claimed, wireTask } from '../test/wire-task.ts'
import { OpaqueBytes } from './opaque-bytes.ts'
import { TaskFailedError } from './task-failed-error.ts'
import { taskIdText } from './task-id-text.ts'

const [ID_BYTES] = wireTask()
const ID = taskIdText(ID_BYTES)
const SESSION = new Uint8Array(16).fill(0xab)
const HELD = { id: ID, token: 5 }

function aTask(parts: Partial<TaskDescription> = {}): TaskDescription {
  return {
    id: ID_BYTES,
    queue: 'mail',
    type: 'send',
    state: 'queued',
    priority: 128,
    attempt: 0,
    failures: 0,
    losses: 0,
    generation: 1,
    maxAttempts: 5,
    maxLost: 3,
    createdAtMs: 1,
    timeoutMs: 1,
    payloadBytes: 1,
    ...parts,
  }
}

const COMPLETED = aTask({
  state: 'completed',
  end: { atMs: 1, reason: 'completed', result: encodePayload({ ok: true }) },
})

async function allOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('worker verbs', () => {
  it('claim numbers its claims and gives tasks with text ids', async () => {
    const broker = await aBroker({ claim: (exchange) => exchange.reply(claimed(wireTask())) })
    const client = aClient(broker)

    const { tasks, leaseMs } = await client.claim('mail', { max: 3, leaseMs: 20_000 })
    await client.claim(['mail', 'images'])

    expect(tasks[0]?.id).toHaveLength(36)
    expect(leaseMs).toBe(15_000)
    expect(broker.requests('claim')).toMatchObject([
      { queues: ['mail'], max: 3, waitMs: 0, claim: 1, leaseMs: 20_000, order: 'round' },
      { queues: ['mail', 'images'], max: 1, claim: 2 },
    ])
  })

  it('heartbeat tells the claims received and shows what has to stop', async () => {
    const broker = await aBroker({
      claim: (exchange) => exchange.reply(claimed()),
      heartbeat: (exchange) => exchange.reply({ stop: [[ID_BYTES, 5, 'cancelled']], released: 1 }),
    })
    const client = aClient(broker)
    await client.claim('mail')

    const answer = await client.heartbeat([HELD])

    expect(broker.requests('heartbeat')[0]).toMatchObject({ received: 1, leases: [{ token: 5 }] })
    expect(answer).toEqual({ stop: [{ ...HELD, reason: 'cancelled' }], released: 1 })
    broker.script = {}
    expect(await client.heartbeat([])).toEqual({ stop: [], released: 0 })
  })

  it('start, progress and release name tasks and show refusals', async () => {
    const broker = await aBroker({
      start: (exchange) => exchange.reply({ ok: 1 }),
      release: (exchange) => {
        exchange.reply({ ok: 0, already: [0], refused: [[1, 'NOT_FOUND', 'gone']] })
      },
    })
    const client = aClient(broker)

    expect(await client.start([HELD])).toEqual({ ok: 1, already: [], refused: [] })
    expect((await client.progress([{ ...HELD, percent: 5, note: 'x' }])).ok).toBe(1)
    expect(await client.release([HELD, HELD])).toEqual({
      ok: 0,
      already: [0],
      refused: [{ index: 1, code: 'NOT_FOUND', message: 'gone' }],
    })
  })

  it('complete encodes results, fail tells what becomes of the task', async () => {
    const broker = await aBroker({
      complete: (exchange) => exchange.reply({ ok: 3 }),
      fail: (exchange) => exchange.reply({ ok: 1, outcomes: [['retrying', 10]] }),
    })
    const client = aClient(broker)

    await client.complete([
      { ...HELD, result: 'done' },
      { ...HELD, result: new OpaqueBytes(Uint8Array.of(9)) },
      HELD,
    ])
    const { outcomes } = await client.fail([
      { ...HELD, error: { message: 'no' }, retryable: false, retryAfterMs: 7 },
    ])

    const results = broker.requests('complete')[0]?.tasks.map((task) => task.result)
    expect(results?.map((bytes) => bytes && [...bytes])).toEqual([
      [...encodePayload('done')],
      [9],
      undefined,
    ])
    expect(broker.requests('fail')[0]?.tasks[0]).toMatchObject({
      error: { message: 'no' },
      retryable: false,
      retryAfterMs: 7,
    })
    expect(outcomes).toEqual([['retrying', 10]])
  })

  it('refuses a task without a token', async () => {
    const client = aClient({ address: '127.0.0.1:1' })

    await expect(client.release([{ id: ID } as never])).rejects.toThrow('give the one of its claim')
  })

  it('register and leave', async () => {
    const broker = await aBroker({ leave: (exchange) => exchange.reply({ released: 2 }) })
    const client = aClient(broker)

    await client.register({ name: 'w', slots: 3 })

    expect(broker.requests('register')[0]).toMatchObject({ name: 'w', labels: {}, slots: 3 })
    expect(await client.leave()).toBe(2)
    expect(client.isConnected).toBe(true)
  })
})

describe('operator verbs', () => {
  it('cancel, redrive and setPriority name tasks by id', async () => {
    const broker = await aBroker({
      cancel: (exchange) => exchange.reply({ ok: 1, outcomes: ['requested'] }),
      redrive: (exchange) => exchange.reply({ ok: 1 }),
      'set-priority': (exchange) => exchange.reply({ ok: 1 }),
    })
    const client = aClient(broker)

    expect((await client.cancel([ID], { reason: 'why' })).outcomes).toEqual(['requested'])
    await client.redrive([ID])
    await client.setPriority([ID], 200)

    expect(broker.requests('cancel')[0]).toMatchObject({ reason: 'why' })
    expect(broker.requests('set-priority')[0]).toMatchObject({ priority: 200 })
    await expect(client.cancel(['nonsense'])).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('get shows ids and sessions as text', async () => {
    const lease = {
      session: SESSION,
      worker: 'w',
      token: 1,
      remainingMs: 5,
      assignedAtMs: 1,
    }
    const broker = await aBroker({ get: (exchange) => exchange.reply(aTask({ lease })) })

    const task = await aClient(broker).get(ID, { payload: true })

    expect(task).toMatchObject({ id: ID, lease: { session: 'ab'.repeat(16), worker: 'w' } })
    expect(broker.requests('get')[0]?.payload).toBe(true)
  })

  it('list gives a page, listAll goes through them', async () => {
    const row = { id: ID_BYTES, queue: 'mail', type: 'send', state: 'queued', priority: 1 } as const
    const broker = await aBroker({
      list: (exchange) => {
        const isFirst = exchange.request.cursor === undefined
        const tasks = [{ ...row, attempt: 1, createdAtMs: 1 }]
        exchange.reply({ tasks, cursor: isFirst ? 'next' : null })
      },
    })
    const client = aClient(broker)

    expect((await client.list({ state: 'queued' })).cursor).toBe('next')
    const rows = await allOf(client.listAll({ queue: 'mail' }))

    expect(rows.map((each) => each.id)).toEqual([ID, ID])
    expect(broker.requests('list')).toMatchObject([
      { limit: 100, state: 'queued' },
      { limit: 1_000, queue: 'mail' },
      { limit: 1_000, queue: 'mail', cursor: 'next' },
    ])
    expect((await client.list({ cursor: 'next' })).cursor).toBeUndefined()
  })

  it('queue verbs', async () => {
    const broker = await aBroker({
      'queue-set': (exchange) => exchange.reply({ settings: { maxAttempts: 2 } as never }),
      'queue-pause': (exchange) => exchange.reply({ changed: true }),
      'queue-resume': (exchange) => exchange.reply({ changed: false }),
      'queue-purge': (exchange) => {
        const isFirst = exchange.request.cursor === undefined
        exchange.reply({ purged: isFirst ? 1_000 : 7, cursor: isFirst ? 'more' : null })
      },
    })
    const client = aClient(broker)

    expect(await client.queueSet('mail', { maxAttempts: 2 })).toEqual({ maxAttempts: 2 })
    expect(await client.queuePause('mail', { reason: 'night' })).toBe(true)
    expect(await client.queuePause('mail')).toBe(true)
    expect(await client.queueResume('mail')).toBe(false)
    expect(await allOf(client.queuePurge('mail', { reason: 'test' }))).toEqual([1_000, 7])
    expect(await allOf(client.queuePurge('mail'))).toEqual([1_000, 7])
  })

  it('stats, workers, startupLog and ping', async () => {
    const stats = { queues: [], broker: { version: '1' } as never }
    const worker = { session: SESSION, name: 'w', version: '1' }
    const broker = await aBroker({
      stats: (exchange) => exchange.reply(stats),
      workers: (exchange) => exchange.reply({ workers: [worker as never] }),
      'startup-log': (exchange) => exchange.reply({ reports: [] }),
    })
    const client = aClient(broker)

    expect(await client.stats()).toEqual(stats)
    await client.stats('mail')
    expect(broker.requests('stats').map((request) => request.queue)).toEqual([undefined, 'mail'])
    expect(await client.workers()).toMatchObject([{ session: 'ab'.repeat(16), name: 'w' }])
    expect(await client.startupLog()).toEqual([])
    expect(await client.ping()).toEqual({ wallMs: 1 })
  })
})

describe('waiting for a result', () => {
  it('decodes what the handler returned', async () => {
    const broker = await aBroker({
      enqueue: (exchange) => exchange.reply({ count: 1 }),
      wait: (exchange) => exchange.reply({ done: true, task: COMPLETED }),
    })
    const handle = await aClient(broker).enqueue('mail', 'send', 1)

    expect(await handle.result()).toEqual({ ok: true })
    expect(await handle.resultBytes()).toEqual(Uint8Array.from(encodePayload({ ok: true })))
    expect(broker.requests('wait')[0]?.waitMs).toBe(30_000)
  })

  it('is undefined for a task without a result', async () => {
    const task = aTask({ state: 'completed', end: { atMs: 1, reason: 'completed' } })
    const broker = await aBroker({
      enqueue: (exchange) => exchange.reply({ count: 1 }),
      wait: (exchange) => exchange.reply({ done: true, task }),
    })
    const handle = await aClient(broker).enqueue('mail', 'send', 1)

    expect(await handle.result()).toBeUndefined()
  })

  it('rejects with TaskFailedError if the task ended otherwise', async () => {
    const error = { message: 'boom' }
    const task = aTask({ state: 'dead', end: { atMs: 1, reason: 'attempts_exhausted', error } })
    const broker = await aBroker({
      enqueue: (exchange) => exchange.reply({ count: 1 }),
      wait: (exchange) => exchange.reply({ done: true, task }),
    })
    const handle = await aClient(broker).enqueue('mail', 'send', 1)

    const failure: unknown = await handle.result().catch((reason: unknown) => reason)

    expect(failure).toBeInstanceOf(TaskFailedError)
    expect(failure).toMatchObject({ state: 'dead', reason: 'attempts_exhausted', error })
  })

  it('asks again and again until the task has ended', async () => {
    let polls = 0
    const broker = await aBroker({
      wait: (exchange) => {
        polls += 1
        exchange.reply(polls < 3 ? { done: false } : { done: true, task: COMPLETED })
      },
    })

    expect((await aClient(broker).wait(ID)).state).toBe('completed')
    expect(polls).toBe(3)
  })

  it('ends with TIMEOUT at its own deadline', async () => {
    const time = new ManualTime()
    const broker = await aBroker({
      wait: (exchange) => {
        time.stall(exchange.request.waitMs)
        exchange.reply({ done: false })
      },
    })
    const client = aClient(broker, { clock: time })

    const error: unknown = await client.wait(ID, { timeoutMs: 45_000 }).catch((e: unknown) => e)

    expect((error as TqError).code).toBe('TIMEOUT')
    expect((error as TqError).message).toContain('has not ended within 45000 ms')
    expect(broker.requests('wait').map((request) => request.waitMs)).toEqual([30_000, 15_000])
  })

  it('can be aborted', async () => {
    const broker = await aBroker()
    const control = new AbortController()
    const waiting = aClient(broker).wait(ID, { signal: control.signal })
    await broker.next('wait')

    control.abort(new Error('enough'))

    await expect(waiting).rejects.toThrow('enough')
  })
})
