// Laws of requests over connections that come and go.

import { type Request, TqError, type Verb } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { ManualTime } from '../test/manual-time.ts'
import { aBroker, aDeadAddress, aSession, until } from '../test/rig.ts'
import { HELLO, type Script, type ScriptedBroker } from '../test/scripted-broker.ts'
import type { Session } from './session.ts'

const ID = Uint8Array.from([1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16])
const HELD = { id: ID, token: 7 }

/** One request of every verb that a caller may make. */
const REQUESTS: { [V in Verb]?: Extract<Request, { verb: V }> } = {
  ping: { verb: 'ping' },
  register: { verb: 'register', name: 'w', version: '1', labels: {}, slots: 1 },
  leave: { verb: 'leave' },
  claim: {
    verb: 'claim',
    queues: ['mail'],
    max: 2,
    waitMs: 0,
    start: true,
    claim: 1,
    order: 'round',
  },
  start: { verb: 'start', tasks: [HELD] },
  heartbeat: { verb: 'heartbeat', leases: [HELD], received: 0 },
  progress: { verb: 'progress', tasks: [{ ...HELD, percent: 1, note: undefined }] },
  complete: { verb: 'complete', tasks: [{ ...HELD, result: Uint8Array.of(1) }] },
  fail: { verb: 'fail', tasks: [{ ...HELD, error: { message: 'no' } }] },
  release: { verb: 'release', tasks: [HELD] },
  cancel: { verb: 'cancel', ids: [ID], reason: 'because' },
  redrive: { verb: 'redrive', ids: [ID] },
  'set-priority': { verb: 'set-priority', ids: [ID], priority: 3 },
  get: { verb: 'get', id: ID, payload: false },
  wait: { verb: 'wait', id: ID, waitMs: 0 },
  list: { verb: 'list', limit: 10 },
  stats: { verb: 'stats' },
  workers: { verb: 'workers' },
  'startup-log': { verb: 'startup-log' },
  'queue-set': { verb: 'queue-set', queue: 'mail', settings: { maxAttempts: 2 } },
  'queue-pause': { verb: 'queue-pause', queue: 'mail' },
  'queue-resume': { verb: 'queue-resume', queue: 'mail' },
  'queue-purge': { verb: 'queue-purge', queue: 'mail' },
}

function ask(session: Session, verb: Verb, options = {}): Promise<unknown> {
  return session.request(REQUESTS[verb] as never, options)
}

/** What a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<TqError> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  )
  return error as TqError
}

describe('Session', () => {
  it('greets with its own session id, version and token before anything else', async () => {
    const broker = await aBroker()
    const session = aSession(broker, { token: 'secret', name: 'shop' })

    await ask(session, 'ping')

    const [hello] = broker.requests('hello')
    expect(hello).toMatchObject({ protocol: 1, client: { name: 'shop' }, token: 'secret' })
    expect(hello?.session).toEqual(Uint8Array.from(session.id))
    expect(broker.seen.map((each) => each.request.verb)).toEqual(['hello', 'ping'])
  })

  it('sends what is asked in one turn in one write', async () => {
    const broker = await aBroker({ stats: (exchange) => exchange.reply({} as never) })
    const session = aSession(broker)
    await ask(session, 'ping')
    const before = broker.chunks.length

    await Promise.all([1, 2, 3, 4, 5].map(() => ask(session, 'stats')))

    expect(broker.chunks.length - before).toBe(1)
  })

  it('matches answers that come in another order', async () => {
    const broker = await aBroker()
    const session = aSession(broker)
    const first = session.request<'list'>({ verb: 'list', limit: 1 })
    const second = session.request<'list'>({ verb: 'list', limit: 2 })
    const one = await broker.next('list')
    const two = await broker.next('list')

    two.reply({ tasks: [], cursor: 'second' })
    one.reply({ tasks: [], cursor: 'first' })

    expect((await first).cursor).toBe('first')
    expect((await second).cursor).toBe('second')
  })

  it('rejects with the code, text and details of a refusal', async () => {
    const broker = await aBroker({
      get: (exchange) => exchange.refuse('NOT_FOUND', 'no such task', { field: 'id' }),
    })

    const error = await failureOf(ask(aSession(broker), 'get'))

    expect(error).toBeInstanceOf(TqError)
    expect(error).toMatchObject({ code: 'NOT_FOUND', details: { field: 'id' } })
  })

  it('fails a request that cannot be encoded, and goes on', async () => {
    const broker = await aBroker()
    const session = aSession(broker)

    const error = await failureOf(
      session.request<'list'>({ verb: 'list', limit: 1, cursor: (() => {}) as never }),
    )

    expect(error.code).toBe('BAD_REQUEST')
    await ask(session, 'ping')
  })

  it('fails a request that is too large for this broker, and keeps the connection', async () => {
    const broker = await aBroker({
      hello: (exchange) =>
        exchange.reply({ ...HELLO, limits: { ...HELLO.limits, frameBytesMax: 1_000 } }),
    })
    const session = aSession(broker)
    const result = new Uint8Array(1_000)

    const error = await failureOf(
      session.request<'complete'>({ verb: 'complete', tasks: [{ ...HELD, result }] }),
    )

    expect(error).toMatchObject({ code: 'TOO_LARGE', details: { limit: 1_000 } })
    await ask(session, 'ping')
    expect(broker.seen.filter(({ request }) => request.verb === 'hello')).toHaveLength(1)
  })
})

describe('a lost connection', () => {
  const verbs = Object.keys(REQUESTS) as Verb[]
  it.each(verbs)('has %s sent again unchanged over the next one', async (verb) => {
    const broker = await aBroker({ [verb]: () => {} })
    const session = aSession(broker)
    const answer = ask(session, verb)
    const first = await broker.next(verb)

    first.drop()
    const second = await broker.next(verb)
    second.reply({ marker: verb } as never)

    expect(second.connection).toBe(2)
    expect(second.request).toEqual(first.request)
    expect(await answer).toEqual({ marker: verb })
  })

  it('has an enqueue sent again with the same ids, as not fresh, with its age', async () => {
    const broker = await aBroker()
    const time = new ManualTime()
    const session = aSession(broker, { clock: time })
    const task = { id: ID, type: 'send', payload: Uint8Array.of(1), options: undefined }
    const answer = session.request<'enqueue'>({
      verb: 'enqueue',
      queue: 'mail',
      tasks: [{ ...task, id: undefined }],
      fresh: true,
    })
    const first = await broker.next('enqueue')
    time.stall(1_500)

    first.drop()
    const second = await broker.next('enqueue')
    second.reply({ count: 1 })

    await answer
    expect(first.request.fresh).toBe(true)
    expect(first.request.sentAgoMs).toBeUndefined()
    expect(second.request).toMatchObject({ fresh: false, sentAgoMs: 1_500 })
    expect(second.request.tasks).toEqual(first.request.tasks)
  })

  it('keeps the order of what is sent again, before what is new', async () => {
    const broker = await aBroker({ list: () => {} })
    const session = aSession(broker)
    const answers = [1, 2, 3].map((limit) => session.request<'list'>({ verb: 'list', limit }))
    const third = await broker.next('list', (exchange) => exchange.request.limit === 3)
    const before = broker.requests('list').length

    broker.script = { list: (exchange) => exchange.reply({ tasks: [], cursor: null }) }
    third.drop()
    answers.push(session.request<'list'>({ verb: 'list', limit: 4 }))

    await Promise.all(answers)
    const again = broker.requests('list').slice(before)
    expect(again.map((request) => request.limit)).toEqual([1, 2, 3, 4])
  })

  it('shortens the wait of a request that was parked already', async () => {
    const broker = await aBroker()
    const time = new ManualTime()
    const session = aSession(broker, { clock: time })
    const answer = session.request<'wait'>({ verb: 'wait', id: ID, waitMs: 30_000 })
    const first = await broker.next('wait')
    time.stall(12_000)

    first.drop()
    const second = await broker.next('wait')
    second.reply({ done: true })

    await answer
    expect(second.request.waitMs).toBe(18_000)
  })

  it('does not have a request sent again that says so', async () => {
    const broker = await aBroker({ heartbeat: (exchange) => exchange.drop() })
    const session = aSession(broker)

    const error = await failureOf(
      new Promise((resolve, reject) => {
        session.send({
          request: REQUESTS['heartbeat'] as Request,
          deadlineAtMs: Infinity,
          isResent: false,
          done: resolve,
          failed: reject,
        })
      }),
    )

    expect(error).toMatchObject({ code: 'UNAVAILABLE' })
    expect(error.message).toContain('the connection was lost')
    expect(broker.requests('heartbeat')).toHaveLength(1)
  })

  it('is followed by the next address', async () => {
    const gone = await aDeadAddress()
    const broker = await aBroker()
    const events: string[] = []
    const session = aSession(broker, {
      address: gone,
      addresses: [broker.address],
      onEvent: (event) => events.push(event.kind),
    })

    await ask(session, 'ping')

    expect(events).toEqual(['disconnected', 'connected'])
  })

  it('lets requests wait until a broker comes up', async () => {
    const address = await aDeadAddress()
    const session = aSession({ address })
    const answer = ask(session, 'ping')
    await until(() => !session.isConnected)

    const broker = await aBroker({}, Number(address.split(':')[1]))

    expect(await answer).toEqual({ wallMs: 1 })
    expect(broker.connectionCount).toBe(1)
  })
})

describe('the time of a request', () => {
  it('ends with TIMEOUT that names the unknown outcome, if it was sent', async () => {
    const broker = await aBroker()
    const session = aSession(broker)
    const answer = failureOf(ask(session, 'cancel', { timeoutMs: 30 }))

    const error = await answer

    expect(error.code).toBe('TIMEOUT')
    expect(error.message).toContain('cancel was not answered within 30 ms')
    expect(error.message).toContain('outcome is unknown')
  })

  it('does not speak of an outcome for a request that changes nothing', async () => {
    const broker = await aBroker()

    const error = await failureOf(ask(aSession(broker), 'get', { timeoutMs: 30 }))

    expect(error.code).toBe('TIMEOUT')
    expect(error.message).not.toContain('outcome')
  })

  it('ends with UNAVAILABLE and the cause, if no broker was reached', async () => {
    const session = aSession({ address: await aDeadAddress() })

    const error = await failureOf(ask(session, 'cancel', { timeoutMs: 50 }))

    expect(error.code).toBe('UNAVAILABLE')
    expect(error.message).toContain('was not sent within 50 ms, and changed nothing')
    expect(error.message).toContain('ECONNREFUSED')
    expect(error.cause).toBeInstanceOf(TqError)
  })

  it('is the default of the client plus what a claim waits', async () => {
    const broker = await aBroker()
    const time = new ManualTime()
    const session = aSession(broker, { clock: time, scheduler: time, requestTimeoutMs: 1_000 })
    const failures: string[] = []
    const note = (verb: Verb) => (error: unknown) => failures.push(`${verb} ${String(error)}`)
    void session.request<'get'>({ verb: 'get', id: ID, payload: false }).catch(note('get'))
    const wait = { verb: 'wait' as const, id: ID, waitMs: 5_000 }
    void session.request<'wait'>(wait, { waitMs: 5_000 }).catch(note('wait'))
    await broker.next('wait')

    time.advance(1_000)
    await until(() => failures.length === 1)
    expect(failures[0]).toContain('get')
    time.advance(5_000)
    await until(() => failures.length === 2)
  })

  it('does not give its id to another request before the late answer', async () => {
    const broker = await aBroker()
    const session = aSession(broker)
    await failureOf(ask(session, 'get', { timeoutMs: 20 }))
    const late = await broker.next('get')
    const answer = session.request<'list'>({ verb: 'list', limit: 1 })
    const next = await broker.next('list')

    late.reply({ id: ID } as never)
    next.reply({ tasks: [], cursor: null })

    expect((await answer).tasks).toEqual([])
    expect(next.id).not.toBe(late.id)
  })
})

describe('an abort signal', () => {
  it('takes back a request that was not sent', async () => {
    const session = aSession({ address: await aDeadAddress() })
    const control = new AbortController()
    const answer = failureOf(ask(session, 'get', { signal: control.signal }))

    control.abort(new Error('enough'))

    expect((await answer).message).toBe('enough')
  })

  it('refuses at once if it was aborted before', async () => {
    const broker = await aBroker()
    const signal = AbortSignal.abort(new Error('before'))

    const error = await failureOf(ask(aSession(broker), 'get', { signal }))

    expect(error.message).toBe('before')
    expect(broker.seen).toHaveLength(0)
  })

  it('ends a wait at once and tells the broker', async () => {
    const broker = await aBroker({ abort: (exchange) => exchange.reply({ aborted: true }) })
    const session = aSession(broker)
    const control = new AbortController()
    const answer = failureOf(ask(session, 'wait', { signal: control.signal }))
    const wait = await broker.next('wait')

    control.abort(new Error('enough'))

    expect((await answer).message).toBe('enough')
    expect((await broker.next('abort')).request).toEqual({ verb: 'abort', id: wait.id })
    wait.refuse('NOT_FOUND') // its late answer concerns nobody
    await ask(session, 'ping')
  })

  const HEARD: Script = { abort: (exchange) => exchange.reply({ aborted: true }) }

  it('lets an aborted claim bring the leases that were granted before', async () => {
    const broker = await aBroker(HEARD)
    const session = aSession(broker)
    const control = new AbortController()
    const answer = ask(session, 'claim', { signal: control.signal })
    const claim = await broker.next('claim')

    control.abort(new Error('enough'))
    await broker.next('abort')
    const task = [ID, 1, 'mail', 'send', 1, new Uint8Array(), { timeoutMs: 1 }] as const
    claim.reply({ tasks: [task], leaseMs: 15_000 })

    expect(await answer).toMatchObject({ leaseMs: 15_000 })
  })

  it('ends an aborted claim when its empty answer or refusal comes', async () => {
    const broker = await aBroker(HEARD)
    const session = aSession(broker)
    for (const end of ['reply', 'refuse', 'drop'] as const) {
      const control = new AbortController()
      const answer = failureOf(ask(session, 'claim', { signal: control.signal }))
      const claim = await broker.next('claim')

      control.abort(new Error(end))
      await broker.next('abort')
      if (end === 'reply') claim.reply({ tasks: [], leaseMs: 0 })
      else if (end === 'refuse') claim.refuse('TIMEOUT')
      else claim.drop()

      expect((await answer).message).toBe(end)
    }
  })

  it('ends another request at once, whatever becomes of it', async () => {
    const broker = await aBroker()
    const session = aSession(broker)
    const control = new AbortController()
    const answer = failureOf(ask(session, 'cancel', { signal: control.signal }))
    await broker.next('cancel')

    control.abort(new Error('enough'))

    expect((await answer).message).toBe('enough')
    expect(broker.requests('abort')).toHaveLength(0)
  })
})

describe('backpressure', () => {
  it('keeps no more requests in flight than client and broker allow', async () => {
    const few = { ...HELLO, limits: { ...HELLO.limits, inFlightMax: 8 } }
    const broker = await aBroker({ hello: (exchange) => exchange.reply(few), list: () => {} })
    const session = aSession(broker)
    const answers = Array.from({ length: 10 }, (_, limit) => {
      return session.request<'list'>({ verb: 'list', limit: limit + 1 })
    })

    const fourth = await broker.next('list', (exchange) => exchange.request.limit === 4)
    await new Promise((resolve) => setImmediate(resolve))
    expect(broker.requests('list')).toHaveLength(4)
    fourth.reply({ tasks: [], cursor: null })
    await broker.next('list', (exchange) => exchange.request.limit === 5)

    broker.script = { list: (exchange) => exchange.reply({ tasks: [], cursor: null }) }
    for (const exchange of broker.seen) {
      if (exchange.request.verb === 'list') exchange.reply({ tasks: [], cursor: null } as never)
    }
    await Promise.all(answers)
  })

  it('lets an abort pass when the requests in flight are at their limit', async () => {
    const few = { ...HELLO, limits: { ...HELLO.limits, inFlightMax: 5 } }
    const broker = await aBroker({ hello: (exchange) => exchange.reply(few) })
    const session = aSession(broker)
    const control = new AbortController()
    const answer = failureOf(ask(session, 'wait', { signal: control.signal }))
    await broker.next('wait')
    void ask(session, 'list').catch(() => {})

    control.abort(new Error('enough'))

    await broker.next('abort')
    await answer
  })

  it('refuses with RESOURCE_EXHAUSTED when too many requests wait', async () => {
    const session = aSession({ address: await aDeadAddress() }, { bufferedRequestsMax: 2 })
    const first = failureOf(ask(session, 'ping'))
    const second = failureOf(ask(session, 'ping'))

    const error = await failureOf(ask(session, 'ping'))

    expect(error.code).toBe('RESOURCE_EXHAUSTED')
    expect(error.message).toContain('2 requests')
    await session.close(0)
    expect((await first).message).toContain('not sent and changed nothing')
    await second
  })

  it('refuses with RESOURCE_EXHAUSTED when too many bytes wait', async () => {
    const session = aSession({ address: await aDeadAddress() }, { bufferedBytesMax: 10 })
    const first = failureOf(ask(session, 'ping', { bytes: 100 }))

    const error = await failureOf(ask(session, 'ping', { bytes: 1 }))

    expect(error.code).toBe('RESOURCE_EXHAUSTED')
    await session.close(0)
    await first
  })

  it('holds back while the socket is full, and goes on when it drains', async () => {
    const broker = await aBroker({ complete: (exchange) => exchange.reply({ ok: 1 }) })
    const session = aSession(broker)
    const result = new Uint8Array(900_000)

    const answers = Array.from({ length: 20 }, () => {
      return session.request<'complete'>({ verb: 'complete', tasks: [{ ...HELD, result }] })
    })

    expect(await Promise.all(answers)).toHaveLength(20)
  })
})

describe('a refusal because the broker is busy', () => {
  it.each(['RESOURCE_EXHAUSTED', 'UNAVAILABLE'] as const)('%s is tried again', async (code) => {
    let refusals = 2
    const broker = await aBroker({
      stats: (exchange) => {
        if (refusals-- > 0) exchange.refuse(code, 'busy', { retryAfterMs: 1 })
        else exchange.reply({ done: true } as never)
      },
    })

    expect(await ask(aSession(broker), 'stats')).toEqual({ done: true })
    expect(broker.requests('stats')).toHaveLength(3)
  })

  it('waits at least as long as the broker says', async () => {
    const broker = await aBroker()
    const time = new ManualTime()
    const session = aSession(broker, { clock: time, scheduler: time })
    const answer = ask(session, 'stats')
    const first = await broker.next('stats')
    const alarms = time.alarmCount

    first.refuse('UNAVAILABLE', 'starting', { retryAfterMs: 4_000 })
    await until(() => time.alarmCount > alarms)
    time.advance(3_999)
    expect(broker.requests('stats')).toHaveLength(1)
    time.advance(5_001)
    const second = await broker.next('stats')
    second.reply({ done: true } as never)

    expect(await answer).toEqual({ done: true })
  })

  it('is final if the wait would outlast the request', async () => {
    const broker = await aBroker({
      stats: (exchange) => exchange.refuse('UNAVAILABLE', 'busy', { retryAfterMs: 60_000 }),
    })

    const error = await failureOf(ask(aSession(broker), 'stats'))

    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 60_000 })
  })

  it('is final if the client was told so', async () => {
    const broker = await aBroker({ stats: (exchange) => exchange.refuse('UNAVAILABLE') })

    await failureOf(ask(aSession(broker, { retryRefusals: false }), 'stats'))

    expect(broker.requests('stats')).toHaveLength(1)
  })

  it('can be aborted while it pauses', async () => {
    const broker = await aBroker()
    const session = aSession(broker)
    const control = new AbortController()
    const answer = failureOf(ask(session, 'stats', { signal: control.signal }))
    const first = await broker.next('stats')
    first.refuse('UNAVAILABLE', 'busy', { retryAfterMs: 20_000 })
    await ask(session, 'ping')

    control.abort(new Error('enough'))

    expect((await answer).message).toBe('enough')
  })
})

describe('NOT_OWNER', () => {
  it('leads to the broker that is named', async () => {
    const owner = await aBroker({ stats: (exchange) => exchange.reply({ owner: true } as never) })
    const other = await aBroker({
      stats: (exchange) => {
        exchange.refuse('NOT_OWNER', 'not mine', { address: owner.address })
      },
    })

    expect(await ask(aSession(other), 'stats')).toEqual({ owner: true })
  })

  it('is an error if it names nobody that can be reached', async () => {
    const broker = await aBroker({
      stats: (exchange) => exchange.refuse('NOT_OWNER', 'not mine', { address: 'no address!' }),
    })

    expect((await failureOf(ask(aSession(broker), 'stats'))).code).toBe('NOT_OWNER')
  })

  it('ends after a few rounds if brokers name each other', async () => {
    const broker: ScriptedBroker = await aBroker({
      stats: (exchange) => {
        exchange.refuse('NOT_OWNER', 'not mine', { address: broker.address })
      },
    })

    expect((await failureOf(ask(aSession(broker), 'stats'))).code).toBe('NOT_OWNER')
    expect(broker.requests('stats')).toHaveLength(6)
  })
})

describe('a refused greeting', () => {
  it('fails what waits with its code, and is tried again by the next request', async () => {
    const broker = await aBroker({
      hello: (exchange) => exchange.refuse('UNAUTHENTICATED', 'who are you?'),
    })
    const session = aSession(broker)

    expect((await failureOf(ask(session, 'ping'))).code).toBe('UNAUTHENTICATED')
    broker.script = {}

    expect(await ask(session, 'ping')).toEqual({ wallMs: 1 })
  })

  it('is waited out if the broker is only busy', async () => {
    let refusals = 2
    const broker = await aBroker({
      hello: (exchange) => {
        if (refusals-- > 0) exchange.refuse('UNAVAILABLE', 'starting', { retryAfterMs: 1 })
        else exchange.reply(HELLO)
      },
    })

    expect(await ask(aSession(broker), 'ping')).toEqual({ wallMs: 1 })
  })

  it('names the unknown outcome of a request that was sent before', async () => {
    const broker = await aBroker()
    const session = aSession(broker)
    const answer = failureOf(ask(session, 'cancel'))
    const cancel = await broker.next('cancel')

    broker.script = { hello: (exchange) => exchange.refuse('FORBIDDEN') }
    cancel.drop()

    const error = await answer
    expect(error.code).toBe('UNAVAILABLE')
    expect(error.message).toContain('outcome is unknown')
  })

  it('is outlived by sessions that must go on', async () => {
    const broker = await aBroker({ hello: (exchange) => exchange.refuse('UNAUTHENTICATED') })
    const kinds: string[] = []
    const session = aSession(broker, {
      outlivesRefusal: true,
      onEvent: (event) => kinds.push(event.kind),
    })
    const answer = ask(session, 'ping')
    await until(() => kinds.includes('refused'))

    broker.script = {}

    expect(await answer).toEqual({ wallMs: 1 })
  })
})

describe('reconnect: false', () => {
  it('fails requests as soon as a round over the addresses found no broker', async () => {
    const session = aSession({ address: await aDeadAddress() }, { reconnect: false })

    const error = await failureOf(ask(session, 'ping'))

    expect(error.code).toBe('UNAVAILABLE')
    expect(error.message).toContain('ECONNREFUSED')
  })
})

describe('closing', () => {
  it('lets requests on their way end, but not those that are parked', async () => {
    const broker = await aBroker()
    const session = aSession(broker)
    const wait = failureOf(ask(session, 'wait'))
    const list = ask(session, 'list')
    const exchange = await broker.next('list')

    const closed = session.close(5_000)
    exchange.reply({ tasks: [], cursor: null })

    expect(await list).toEqual({ tasks: [], cursor: null })
    expect((await wait).message).toContain('the client was closed')
    await closed
    expect((await failureOf(ask(session, 'ping'))).message).toContain('the client is closed')
    await session.close(0)
  })

  it('does not wait longer than it was told', async () => {
    const broker = await aBroker()
    const session = aSession(broker)
    const cancel = failureOf(ask(session, 'cancel'))
    await broker.next('cancel')

    await session.close(10)

    expect((await cancel).message).toContain('outcome is unknown')
  })

  it('reports a broker that is about to stop', async () => {
    const broker = await aBroker()
    const events: unknown[] = []
    const session = aSession(broker, { onEvent: (event) => events.push(event) })
    await ask(session, 'ping')

    broker.push('closing', { reason: 'drain', graceMs: 500 })
    await ask(session, 'ping')

    expect(events).toContainEqual({ kind: 'closing', reason: 'drain', graceMs: 500 })
  })
})
