// Laws of a worker: claims, reports, leases, stop orders, drains.

import { decodePayload, TqError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { ManualTime } from '../../test/manual-time.ts'
import { aBroker, aClient, aDeadAddress, aWorker, until } from '../../test/rig.ts'
import type { Script, ScriptedBroker } from '../../test/scripted-broker.ts'
import { claimed, wireTask } from '../../test/wire-task.ts'
import { HandlerError } from './handler-error.ts'
import type { TaskContext } from './handler.ts'
import { TaskStoppedError } from './task-stopped-error.ts'
import type { WorkerEvent } from './worker-event.ts'
import { TqWorker } from './worker.ts'

/** Answers reports as a broker that is content with them. */
const CONTENT: Script = {
  complete: (exchange) => exchange.reply({ ok: exchange.request.tasks.length }),
  release: (exchange) => exchange.reply({ ok: exchange.request.tasks.length }),
  fail: (exchange) => {
    const outcomes = exchange.request.tasks.map(() => ['retrying', 5_000] as const)
    exchange.reply({ ok: outcomes.length, outcomes: outcomes as never })
  },
}

/** A handler that ends when the test says so. */
function aGate(): { handler: () => Promise<unknown>; open: (value?: unknown) => void } {
  const waiting: ((value: unknown) => void)[] = []
  return {
    handler: () => new Promise((resolve) => waiting.push(resolve)),
    open: (value) => waiting.shift()?.(value),
  }
}

async function abortOf(context: TaskContext): Promise<TaskStoppedError> {
  const { signal } = context
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  return signal.reason as TaskStoppedError
}

describe('TqWorker', () => {
  it('registers, claims for all its slots, and sends results back', async () => {
    const broker = await aBroker(CONTENT)
    const worker = aWorker(broker, { name: 'w1', labels: { gpu: true }, concurrency: 4 })
    worker.handle('send', (task) => ({ sent: task.payload }))
    await worker.start()

    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask({ payload: 'hello' })))
    const complete = await broker.next('complete', () => true)

    expect(broker.requests('register')[0]).toMatchObject({
      name: 'w1',
      labels: { gpu: true },
      slots: 4,
    })
    expect(claim.request).toMatchObject({
      queues: ['mail'],
      max: 4,
      claim: 1,
      start: true,
      leaseMs: 15_000,
    })
    const result = complete.request.tasks[0]?.result as Uint8Array
    expect(decodePayload(result)).toEqual({ sent: 'hello' })
  })

  it('never asks for more tasks than it has free slots', async () => {
    const broker = await aBroker(CONTENT)
    const gate = aGate()
    const worker = aWorker(broker, { concurrency: 3 }).handle('send', gate.handler)
    await worker.start()
    const first = await broker.next('claim')
    expect(first.request.max).toBe(3)

    first.reply(claimed(wireTask(), wireTask()))
    const second = await broker.next('claim')
    expect(second.request.max).toBe(1)
    gate.open()
    const third = await broker.next('claim')

    expect(third.request.max).toBe(1)
    second.reply(claimed(wireTask()))
    third.reply(claimed(wireTask()))
    await until(() => worker.health().running === 3)
    expect(broker.requests('claim')).toHaveLength(3)
  })

  it('acknowledges the tasks of a turn in one frame, and claims in the same write', async () => {
    const broker = await aBroker(CONTENT)
    const worker = aWorker(broker, { concurrency: 8 }).handle('send', () => undefined)
    await worker.start()
    const first = await broker.next('claim')
    const before = broker.chunks.length

    first.reply(claimed(...Array.from({ length: 8 }, () => wireTask())))
    const next = await broker.next('claim')

    expect(broker.requests('complete').map((request) => request.tasks.length)).toEqual([8])
    expect(next.request.max).toBe(8)
    expect(broker.chunks.length - before).toBe(1)
  })

  it('reports an error with its message, type and stack, and the wishes it carries', async () => {
    const broker = await aBroker(CONTENT)
    const events: WorkerEvent[] = []
    const worker = aWorker(broker, { onEvent: (event) => events.push(event) })
    worker.handle('plain', () => {
      throw new TypeError('bad input')
    })
    worker.handle('wishes', () => {
      throw new HandlerError('later', { retryable: false, retryAfterMs: 9, type: 'Later' })
    })
    await worker.start()

    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask({ type: 'plain' }), wireTask({ type: 'wishes' })))
    const { request } = await broker.next('fail')

    expect(request.tasks[0]?.error).toMatchObject({ message: 'bad input', type: 'TypeError' })
    expect(request.tasks[0]?.error.stack).toContain('bad input')
    expect(request.tasks[1]).toMatchObject({
      error: { type: 'Later' },
      retryable: false,
      retryAfterMs: 9,
    })
    await until(() => events.filter((event) => event.kind === 'task-failed').length === 2)
    expect(events.find((event) => event.kind === 'task-failed')).toMatchObject({
      outcome: ['retrying', 5_000],
    })
  })

  it('fails a task that it has no handler for, and says which it has', async () => {
    const broker = await aBroker(CONTENT)
    const worker = aWorker(broker).handle('send', () => undefined)
    await worker.start()

    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask({ type: 'unknown' })))
    const { request } = await broker.next('fail')

    expect(request.tasks[0]?.error).toMatchObject({ type: 'NoHandlerError' })
    expect(request.tasks[0]?.error.message).toContain('it handles send')
    expect(request.tasks[0]?.retryable).toBeUndefined()
  })

  it('tells progress once a turn, with what was said last', async () => {
    const broker = await aBroker(CONTENT)
    const gate = aGate()
    const worker = aWorker(broker).handle('send', (_task, { progress }) => {
      progress(10, 'begun')
      progress(250)
      progress(Number.NaN)
      return gate.handler()
    })
    await worker.start()

    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask()))
    const { request } = await broker.next('progress')

    expect(request.tasks).toMatchObject([{ percent: 100, note: 'begun' }])
  })

  it('shows a handler what it works on', async () => {
    const broker = await aBroker(CONTENT)
    const seen: unknown[] = []
    const worker = aWorker(broker).handle('*', (task, context) => {
      seen.push(context.taskId === task.id, context.attempt, context.token === task.token)
      seen.push(context.signal.aborted, context.leaseRemainingMs() > 10_000)
      seen.push(task.priority, task.headers, task.trace, task.timeoutMs, task.failures, task.losses)
    })
    await worker.start()

    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask({ attempt: 3, extra: { failures: 1, losses: 1 } })))
    await broker.next('complete', () => true)

    expect(seen).toEqual([true, 3, true, false, true, 128, {}, undefined, 3_600_000, 1, 1])
  })

  it('starts once, with a handler, and takes no more handlers then', async () => {
    const broker = await aBroker(CONTENT)
    const worker = aWorker(broker)

    await expect(worker.start()).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    worker.handle('send', () => undefined)
    expect(() => worker.handle('send', () => undefined)).toThrow('has a handler already')
    await worker.start()

    await expect(worker.start()).rejects.toMatchObject({ code: 'INVALID_STATE' })
    expect(() => worker.handle('other', () => undefined)).toThrow('has been started')
  })

  it('takes addresses and token from a client', async () => {
    const broker = await aBroker(CONTENT)
    const client = aClient(broker, { token: 'secret' })
    const worker = new TqWorker({ client, queues: ['mail'], heartbeatThread: false })
    worker.handle('send', () => undefined)

    await worker.start()

    expect(broker.requests('hello')[0]?.token).toBe('secret')
    await worker.client.ping()
    await worker.stop({ deadlineMs: 0 })
  })

  it('waits for a broker that is not there yet', async () => {
    const address = await aDeadAddress()
    const kinds: string[] = []
    const worker = aWorker({ address }, { onEvent: (event) => kinds.push(event.kind) })
    worker.handle('send', () => undefined)
    const started = worker.start()
    await until(() => kinds.includes('disconnected'))

    await aBroker(CONTENT, Number(address.split(':')[1]))

    await started
    expect(worker.health().state).toBe('running')
  })

  it('does not start with a token that is refused', async () => {
    const broker = await aBroker({ hello: (exchange) => exchange.refuse('UNAUTHENTICATED') })
    const worker = aWorker(broker).handle('send', () => undefined)

    await expect(worker.start()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(worker.health().state).toBe('stopped')
  })

  it('does not start if it may not register', async () => {
    const broker = await aBroker({ register: (exchange) => exchange.refuse('FORBIDDEN') })
    const worker = aWorker(broker).handle('send', () => undefined)

    await expect(worker.start()).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('registers again after a passing refusal', async () => {
    let refusals = 1
    const broker = await aBroker({
      ...CONTENT,
      register: (exchange) => {
        if (refusals-- > 0) exchange.refuse('NO_SPACE')
        else exchange.reply({ worker: new Uint8Array(16) })
      },
    })
    const worker = aWorker(broker).handle('send', () => undefined)

    await worker.start()

    expect(broker.requests('register')).toHaveLength(2)
  })

  it('pauses and goes on when its claims are refused', async () => {
    const broker = await aBroker(CONTENT)
    const events: WorkerEvent[] = []
    const worker = aWorker(broker, { onEvent: (event) => events.push(event) })
    worker.handle('send', () => undefined)
    await worker.start()

    const first = await broker.next('claim')
    first.refuse('FORBIDDEN')
    const second = await broker.next('claim')

    expect(second.request.claim).toBe(2)
    expect(events).toContainEqual({ kind: 'claim-refused', error: expect.any(TqError) as TqError })
  })

  it('tells its health', async () => {
    const broker = await aBroker(CONTENT)
    const time = new ManualTime()
    const worker = aWorker(broker, { clock: time, scheduler: time })
    worker.handle('send', () => undefined)
    expect(worker.health()).toMatchObject({ state: 'new', exchangeAgeMs: undefined })

    await worker.start()
    await until(() => worker.health().heartbeatAgeMs !== undefined)
    time.stall(3_000)
    const claim = await broker.next('claim')
    claim.reply(claimed())
    await broker.next('claim')

    expect(worker.health()).toMatchObject({
      state: 'running',
      isConnected: true,
      running: 0,
      slots: 16,
      claimAgeMs: 0,
      heartbeatAgeMs: 3_000,
      exchangeAgeMs: 0,
    })
  })
})

describe('reports that are refused', () => {
  async function reportedBy(
    script: Script,
    result: unknown = 1,
  ): Promise<{ broker: ScriptedBroker; events: WorkerEvent[]; worker: TqWorker }> {
    const broker = await aBroker({ ...CONTENT, ...script })
    const events: WorkerEvent[] = []
    const worker = aWorker(broker, { onEvent: (event) => events.push(event) })
    worker.handle('send', () => result)
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask(), wireTask()))
    return { broker, events, worker }
  }

  it('are followed by a release if somebody cancels the task', async () => {
    const refusal = [1, 'INVALID_STATE', 'it is being cancelled'] as const
    const { broker, events } = await reportedBy({
      complete: (exchange) => exchange.reply({ ok: 1, refused: [refusal] }),
    })

    const release = await broker.next('release', () => true)

    const [complete] = broker.requests('complete')
    expect(release.request.tasks[0]?.id).toEqual(complete?.tasks[1]?.id)
    await until(() => events.some((event) => event.kind === 'task-released'))
    expect(events.map((event) => event.kind)).toContain('report-refused')
  })

  it('are dropped if another worker has the task', async () => {
    const refusal = [0, 'STALE_LEASE', 'token 9 holds it'] as const
    const { events } = await reportedBy({
      complete: (exchange) => exchange.reply({ ok: 1, refused: [refusal] }),
    })

    await until(() => events.some((event) => event.kind === 'report-refused'))

    expect(events.find((event) => event.kind === 'report-refused')).toMatchObject({
      report: 'complete',
      error: { code: 'STALE_LEASE' },
    })
  })

  it('count as heard if a repeated one meets a task that is not kept', async () => {
    let sends = 0
    const { events } = await reportedBy({
      complete: (exchange) => {
        sends += 1
        if (sends === 1) exchange.drop()
        else exchange.reply({ ok: 0, refused: [0, 1].map((at) => [at, 'NOT_FOUND', 'gone']) })
      },
    })

    await until(() => events.filter((event) => event.kind === 'task-completed').length === 2)

    expect(events.map((event) => event.kind)).not.toContain('report-refused')
  })

  it('become a failure if the result cannot be taken, and spare the others', async () => {
    let sends = 0
    const { broker, events } = await reportedBy({
      complete: (exchange) => {
        sends += 1
        if (sends === 1) exchange.refuse('BAD_REQUEST', 'tasks[0].result is odd', { index: 0 })
        else exchange.reply({ ok: 1 })
      },
    })

    const fail = await broker.next('fail')

    expect(fail.request.tasks).toHaveLength(1)
    expect(fail.request.tasks[0]?.error.type).toBe('ResultRefusedError')
    await until(() => events.some((event) => event.kind === 'task-completed'))
  })

  it('are failures at once if the result is too large', async () => {
    const { broker } = await reportedBy({}, new Uint8Array(1024 * 1024 + 1))

    const { request } = await broker.next('fail')

    expect(request.tasks[0]?.error.type).toBe('ResultTooLargeError')
    expect(request.tasks[0]?.retryable).toBe(false)
  })
})

describe('a lost connection', () => {
  it('leaves handlers alone: register again, claim under the same number, report', async () => {
    const broker = await aBroker(CONTENT)
    const gate = aGate()
    const worker = aWorker(broker, { concurrency: 2 }).handle('send', gate.handler)
    await worker.start()
    const first = await broker.next('claim')
    first.reply(claimed(wireTask()))
    const parked = await broker.next('claim')

    parked.drop()
    const again = await broker.next('claim')
    expect(again.request.claim).toBe(parked.request.claim)
    expect(broker.requests('register')).toHaveLength(2)
    const verbs = broker.seen.filter((each) => each.connection === 2).map((x) => x.request.verb)
    expect(verbs.slice(0, 3)).toEqual(['hello', 'register', 'heartbeat'])
    gate.open('done')
    const complete = await broker.next('complete', () => true)

    const hellos = broker.requests('hello')
    expect(hellos[1]?.session).toEqual(hellos[0]?.session)
    expect(decodePayload(complete.request.tasks[0]?.result as Uint8Array)).toBe('done')
  })

  it('has a report sent again until it is answered', async () => {
    let sends = 0
    const broker = await aBroker({
      ...CONTENT,
      complete: (exchange) => {
        sends += 1
        if (sends < 3) exchange.drop()
        else exchange.reply({ ok: 0, already: [0] })
      },
    })
    const events: WorkerEvent[] = []
    const worker = aWorker(broker, { onEvent: (event) => events.push(event) })
    worker.handle('send', () => 1)
    await worker.start()

    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask()))

    await until(() => events.some((event) => event.kind === 'task-completed'))
    expect(sends).toBe(3)
  })
})

describe('heartbeats', () => {
  it('name the leases held until their end was answered, and the claims received', async () => {
    const broker = await aBroker({ ...CONTENT, complete: () => {} })
    const time = new ManualTime()
    const gate = aGate()
    const worker = aWorker(broker, { clock: time, scheduler: time, concurrency: 4 })
    worker.handle('send', gate.handler)
    await worker.start()
    const claim = await broker.next('claim')
    const tasks = [wireTask(), wireTask()] as const
    claim.reply(claimed(...tasks))
    await until(() => worker.health().running === 2)

    time.advance(5_000)
    const both = await broker.next('heartbeat', (each) => each.request.leases.length === 2)
    await until(() => worker.health().heartbeatAgeMs === 0)
    gate.open()
    const complete = await broker.next('complete', () => true)
    time.advance(5_000)
    const still = await broker.next('heartbeat', (each) => each.request.leases.length === 2)
    complete.reply({ ok: 1 })
    await worker.client.ping()
    await until(() => worker.health().heartbeatAgeMs === 0)
    time.advance(5_000)
    const one = await broker.next('heartbeat', (each) => each.request.leases.length === 1)

    expect(both.request.received).toBe(1)
    expect(both.request.leases.map((lease) => lease.token)).toEqual(tasks.map((task) => task[1]))
    expect(both.request.session).toEqual(broker.requests('hello')[0]?.session)
    expect(still.request.leases).toHaveLength(2)
    expect(one.request.leases[0]?.token).toBe(tasks[1][1])
  })

  it('come so often that two may be lost within a short lease', async () => {
    const broker = await aBroker(CONTENT)
    const time = new ManualTime()
    const worker = aWorker(broker, { clock: time, scheduler: time, leaseMs: 3_000 })
    worker.handle('send', () => undefined)
    await worker.start()
    await until(() => worker.health().heartbeatAgeMs === 0)
    const before = broker.requests('heartbeat').length

    time.advance(1_000)

    await until(() => broker.requests('heartbeat').length > before)
  })

  it('bring orders to stop', async () => {
    const task = wireTask()
    const broker = await aBroker({
      ...CONTENT,
      heartbeat: (exchange) => {
        const { leases } = exchange.request
        exchange.reply(leases.length === 0 ? {} : { stop: [[task[0], task[1], 'lost']] })
      },
    })
    const time = new ManualTime()
    const reasons: string[] = []
    const worker = aWorker(broker, { clock: time, scheduler: time })
    worker.handle('send', async (_task, context) => {
      reasons.push((await abortOf(context)).reason)
    })
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(task))
    await until(() => worker.health().running === 1)

    time.advance(5_000)
    await until(() => reasons.length === 1)

    expect(reasons).toEqual(['lost'])
    await until(() => worker.health().running === 0)
    time.advance(5_000)
    await broker.next('heartbeat', (each) => each.request.leases.length === 0)
    expect(broker.requests('complete')).toHaveLength(0)
  })

  it('that fail are told', async () => {
    const broker = await aBroker({
      ...CONTENT,
      heartbeat: (exchange) => exchange.refuse('INTERNAL', 'oops'),
    })
    const events: WorkerEvent[] = []
    const worker = aWorker(broker, { onEvent: (event) => events.push(event) })
    worker.handle('send', () => undefined)

    await worker.start()

    await until(() => events.some((event) => event.kind === 'heartbeat-failed'))
  })
})

describe('an order to stop', () => {
  it('cancelled: aborts the signal, and is confirmed by a release when the handler ended', async () => {
    const broker = await aBroker(CONTENT)
    const gate = aGate()
    const reasons: unknown[] = []
    const worker = aWorker(broker).handle('send', async (_task, context) => {
      reasons.push(await abortOf(context))
      return gate.handler()
    })
    await worker.start()
    const task = wireTask()
    const claim = await broker.next('claim')
    claim.reply(claimed(task))
    await until(() => worker.health().running === 1)

    broker.push('stop', [[task[0], task[1], 'cancelled']])
    broker.push('stop', [[task[0], task[1], 'cancelled']])
    await until(() => reasons.length === 1)
    await worker.client.ping()
    expect(broker.requests('release')).toHaveLength(0)
    gate.open('ignored')
    const release = await broker.next('release', () => true)

    expect(reasons[0]).toBeInstanceOf(TaskStoppedError)
    expect(reasons[0]).toMatchObject({ reason: 'cancelled' })
    expect(release.request.tasks[0]?.token).toBe(task[1])
    expect(broker.requests('complete')).toHaveLength(0)
  })

  it('for another token does not touch the task', async () => {
    const broker = await aBroker(CONTENT)
    const gate = aGate()
    const worker = aWorker(broker).handle('send', gate.handler)
    await worker.start()
    const task = wireTask()
    const claim = await broker.next('claim')
    claim.reply(claimed(task))
    await until(() => worker.health().running === 1)

    broker.push('stop', [[task[0], task[1] - 1, 'lost']])
    broker.push('other', 'ignored')
    await worker.client.ping()
    gate.open('fine')

    await broker.next('complete', () => true)
  })

  it('that came with the claim has the task given back without being run', async () => {
    const broker = await aBroker(CONTENT)
    let runs = 0
    const worker = aWorker(broker).handle('send', () => (runs += 1))
    await worker.start()

    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask({ extra: { cancelRequested: true } })))
    await broker.next('release', () => true)

    expect(runs).toBe(0)
  })
})

describe('a lease that cannot be renewed', () => {
  const DEAF: Script = { ...CONTENT, heartbeat: () => {}, ping: () => {} }

  /** The moments at which its handlers are told to stop. */
  function abortsOf(worker: TqWorker, time: ManualTime): readonly number[] {
    const aborts: number[] = []
    worker.handle('send', async (_task, context) => {
      await abortOf(context)
      aborts.push(time.monotonicMs())
    })
    return aborts
  }

  it('has its handler aborted before it ends, and the result is not sent', async () => {
    const broker = await aBroker(DEAF)
    const time = new ManualTime()
    const aborts: { reason: string; atMs: number }[] = []
    const worker = aWorker(broker, { clock: time, scheduler: time, concurrency: 1 })
    worker.handle('send', async (_task, context) => {
      aborts.push({ reason: (await abortOf(context)).reason, atMs: time.monotonicMs() })
      return 'too late'
    })
    await worker.start()
    const claim = await broker.next('claim')
    const grantedAtMs = time.monotonicMs()
    claim.reply(claimed(wireTask()))
    await until(() => worker.health().running === 1)

    for (let step = 0; step < 14; step += 1) time.advance(1_000)
    await until(() => worker.health().running === 0)

    expect(aborts).toEqual([{ reason: 'lease-lost', atMs: grantedAtMs + 14_000 }])
    expect(broker.requests('complete')).toHaveLength(0)
  })

  it('counts from its grant, though its answer came long after it and after later ones', async () => {
    const broker = await aBroker(CONTENT)
    const time = new ManualTime()
    const worker = aWorker(broker, { clock: time, scheduler: time, concurrency: 1 })
    const aborts = abortsOf(worker, time)
    await worker.start()
    const claim = await broker.next('claim')
    const grantedAtMs = time.monotonicMs()
    for (let step = 0; step < 10; step += 1) {
      time.advance(1_000)
      await until(() => (worker.health().heartbeatAgeMs ?? Infinity) < 5_000)
    }
    broker.script = DEAF

    claim.reply({ ...claimed(wireTask()), leaseMs: 5_000 })
    await until(() => worker.health().running === 1)
    time.advance(4_000)
    await until(() => worker.health().running === 0)

    expect(aborts).toEqual([grantedAtMs + 14_000])
  })

  it('counts from the last answered heartbeat', async () => {
    const broker = await aBroker({ ...CONTENT, ping: () => {} })
    const time = new ManualTime()
    const worker = aWorker(broker, { clock: time, scheduler: time, concurrency: 1 })
    const aborts = abortsOf(worker, time)
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask()))
    await until(() => worker.health().running === 1)

    time.advance(5_000)
    await broker.next('heartbeat', (each) => each.request.leases.length === 1)
    const renewedAtMs = time.monotonicMs()
    await until(() => worker.health().heartbeatAgeMs === 0)
    broker.script = DEAF
    for (let step = 0; step < 20; step += 1) time.advance(1_000)

    expect(aborts).toEqual([])
    await until(() => aborts.length === 1)
    expect(renewedAtMs).toBe(6_000)
  })

  it('whose handler kept the thread busy is noticed when the handler returns', async () => {
    const broker = await aBroker(DEAF)
    const time = new ManualTime()
    const worker = aWorker(broker, { clock: time, scheduler: time, concurrency: 1 })
    worker.handle('send', () => {
      time.stall(20_000)
      return 'computed'
    })
    const events: string[] = []
    await worker.start()
    const claim = await broker.next('claim')

    claim.reply(claimed(wireTask()))
    const next = await broker.next('claim')

    expect(next.request.max).toBe(1)
    expect(broker.requests('complete')).toHaveLength(0)
    expect(events).toEqual([])
  })

  it('that may be over when its claim is read is given back without being run', async () => {
    const broker = await aBroker(CONTENT)
    const time = new ManualTime()
    let runs = 0
    const worker = aWorker(broker, { clock: time, scheduler: time })
    worker.handle('send', () => (runs += 1))
    await worker.start()
    const claim = await broker.next('claim')
    time.stall(60_000)

    claim.reply(claimed(wireTask()))
    await broker.next('release', () => true)

    expect(runs).toBe(0)
  })

  it('with little time left is renewed at once', async () => {
    const broker = await aBroker(CONTENT)
    const time = new ManualTime()
    const gate = aGate()
    const worker = aWorker(broker, { clock: time, scheduler: time }).handle('send', gate.handler)
    await worker.start()
    const claim = await broker.next('claim')
    time.stall(8_000)

    claim.reply(claimed(wireTask()))

    await broker.next('heartbeat', (each) => each.request.leases.length === 1)
  })
})

describe('stop', () => {
  it('claims no more, lets handlers end, acknowledges them, leaves and closes', async () => {
    const broker = await aBroker(CONTENT)
    const gate = aGate()
    const worker = aWorker(broker, { concurrency: 2 }).handle('send', gate.handler)
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask()))
    await broker.next('claim')

    const stopped = worker.stop()
    await broker.next('abort', () => true)
    expect(worker.health().state).toBe('draining')
    gate.open('in time')
    await stopped

    expect(broker.requests('complete')).toHaveLength(1)
    expect(broker.requests('claim')).toHaveLength(2)
    expect(broker.requests('leave')).toHaveLength(1)
    expect(worker.health().state).toBe('stopped')
  })

  it('aborts at the deadline, and gives back what reacts by failing', async () => {
    const broker = await aBroker(CONTENT)
    const reasons: string[] = []
    const worker = aWorker(broker).handle('send', async (_task, context) => {
      const error = await abortOf(context)
      reasons.push(error.reason)
      throw error
    })
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask()))
    await until(() => worker.health().running === 1)

    await worker.stop({ deadlineMs: 10 })

    expect(reasons).toEqual(['shutdown'])
    expect(broker.requests('release')).toHaveLength(1)
    expect(broker.requests('fail')).toHaveLength(0)
  })

  it('sends the result of a handler that completes in spite of the abort', async () => {
    const broker = await aBroker(CONTENT)
    const worker = aWorker(broker).handle('send', async (_task, context) => {
      await abortOf(context)
      return 'saved'
    })
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask()))
    await until(() => worker.health().running === 1)

    await worker.stop({ deadlineMs: 1 })

    expect(broker.requests('complete')).toHaveLength(1)
  })

  it('gives back what will not end, and ignores its result', async () => {
    const broker = await aBroker(CONTENT)
    const gate = aGate()
    const worker = aWorker(broker).handle('send', gate.handler)
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask()))
    await until(() => worker.health().running === 1)

    await worker.stop({ deadlineMs: 1, graceMs: 1 })
    gate.open('nobody listens')

    expect(broker.requests('release')).toHaveLength(1)
    expect(broker.requests('complete')).toHaveLength(0)
  })

  it('gives back tasks that were leased while the claim was aborted', async () => {
    const broker = await aBroker(CONTENT)
    broker.abortedClaim = claimed(wireTask())
    let runs = 0
    const worker = aWorker(broker).handle('send', () => (runs += 1))
    await worker.start()
    await broker.next('claim')

    await worker.stop()

    expect(runs).toBe(0)
    expect(broker.requests('release')).toHaveLength(1)
  })

  it('comes sooner when it is called again with a nearer deadline', async () => {
    const broker = await aBroker(CONTENT)
    const gate = aGate()
    const worker = aWorker(broker).handle('send', gate.handler)
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask()))
    await until(() => worker.health().running === 1)

    const first = worker.stop({ deadlineMs: 60_000, graceMs: 1 })
    const second = worker.stop({ deadlineMs: 0 })

    await Promise.all([first, second])
    expect(worker.health().state).toBe('stopped')
  })

  it('works before start, and without a broker', async () => {
    const idle = aWorker({ address: '127.0.0.1:1' })
    await idle.stop()
    expect(idle.health().state).toBe('stopped')

    const lonely = aWorker({ address: await aDeadAddress() }).handle('send', () => undefined)
    const started = lonely.start()
    await lonely.stop()
    await started
    expect(lonely.health().state).toBe('stopped')
  })

  it('does not wait for a broker that does not answer any more', async () => {
    const broker = await aBroker({ ...CONTENT, complete: () => {}, leave: () => {} })
    const time = new ManualTime()
    const worker = aWorker(broker, { clock: time, scheduler: time }).handle('send', () => 1)
    await worker.start()
    const claim = await broker.next('claim')
    claim.reply(claimed(wireTask()))
    await broker.next('complete', () => true)

    let isStopped = false
    const stopped = worker.stop().then(() => (isStopped = true))
    while (!isStopped) {
      time.advance(500)
      await new Promise((resolve) => setImmediate(resolve))
    }

    await stopped
  })
})

describe('options', () => {
  it.each([
    [{ queues: [] }, 'queues'],
    [{ concurrency: 0 }, 'concurrency'],
    [{ concurrency: 100_000 }, 'concurrency'],
    [{ leaseMs: 10 }, 'leaseMs'],
    [{ waitMs: 60_000 }, 'waitMs'],
    [{ heartbeatThread: true, clock: new ManualTime() }, 'heartbeatThread'],
  ])('%o is refused and named', (options, field) => {
    const make = (): TqWorker => new TqWorker({ queues: ['mail'], ...options })

    expect(make).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', details: { field } }))
  })
})
