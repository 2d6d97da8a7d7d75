// Every field of every verb: defaults, ranges, and the words with which a wrong one is refused.

import { describe, expect, it } from 'vitest'
import { PAYLOAD, SESSION, TASK_1, TASK_2, TOKEN } from '../../test/golden-value.ts'
import { refusalOf } from '../../test/refusal.ts'
import { isVerb, parseRequest, VERBS } from './parse-request.ts'
import type { Verb } from './request.ts'
import { isQueueName } from './task-field.ts'

type Args = Record<string, unknown>

const held = [TASK_1, TOKEN]
const task = [TASK_1, 'mail.send', PAYLOAD]

/** The least that each verb needs. */
const LEAST: Readonly<Record<Verb, Args>> = {
  hello: { protocol: 1, client: { name: 'a', version: '1' } },
  ping: {},
  abort: { id: 1 },
  register: { name: 'w', version: '1', slots: 1 },
  leave: {},
  enqueue: { queue: 'mail', tasks: [task] },
  claim: { queues: ['mail'], claim: 1 },
  start: { tasks: [held] },
  heartbeat: { leases: [], received: 0 },
  progress: { tasks: [held] },
  complete: { tasks: [held] },
  fail: { tasks: [[...held, { message: 'no' }]] },
  release: { tasks: [held] },
  cancel: { ids: [TASK_1] },
  redrive: { ids: [TASK_1] },
  'set-priority': { ids: [TASK_1], priority: 0 },
  get: { id: TASK_1 },
  wait: { id: TASK_1 },
  list: {},
  stats: {},
  workers: {},
  'startup-log': {},
  'queue-set': { queue: 'mail', settings: {} },
  'queue-pause': { queue: 'mail' },
  'queue-resume': { queue: 'mail' },
  'queue-purge': { queue: 'mail' },
}

/** What a refusal of the least arguments with a change says. */
function saysTo(verb: Verb, change: Args): string {
  const error = refusalOf(() => parseRequest(verb, { ...LEAST[verb], ...change }))
  return `${error.code}: ${error.message}`
}

/** What a refusal of a task's options says, without the path to them. */
function saysToOptions(options: Args): string {
  const text = saysTo('enqueue', { tasks: [task, [...task, options]] })
  expect(text).toContain(': tasks[1].options')
  return text.replace('tasks[1].options.', '')
}

function saysToSettings(settings: Args): string {
  return saysTo('queue-set', { settings }).replace('settings.', '')
}

describe('parseRequest', () => {
  it('knows all verbs of the protocol, and no others', () => {
    expect(VERBS).toEqual(Object.keys(LEAST))
    expect(['enqueue', 'Enqueue', '__proto__', 'toString', 5, null].map(isVerb)).toEqual([
      ...[true, false, false, false, false, false],
    ])
  })

  it.each(VERBS)('accepts the least of %s, and nil for what is left out', (verb) => {
    expect(parseRequest(verb, LEAST[verb]).verb).toBe(verb)
  })

  it.each(VERBS)('refuses a field that %s does not have', (verb) => {
    expect(saysTo(verb, { colour: 1 })).toMatch(
      /^BAD_REQUEST: colour is not a known field; there (are none here|are [a-zA-Z, ]+)$/,
    )
  })

  it.each(VERBS)('refuses arguments of %s that are no map', (verb) => {
    for (const args of [null, [], 'x', PAYLOAD, 5, true, new Date(0)]) {
      const error = refusalOf(() => parseRequest(verb, args))
      expect(error.message).toMatch(/^args must be a map, got /)
      expect(error.details).toEqual({ field: 'args' })
    }
  })

  it('fills in the defaults', () => {
    expect(parseRequest('enqueue', LEAST.enqueue)).toMatchObject({ fresh: false })
    expect(parseRequest('claim', { ...LEAST.claim, start: null, order: null })).toEqual({
      verb: 'claim',
      queues: ['mail'],
      max: 1,
      waitMs: 0,
      start: true,
      claim: 1,
      order: 'round',
    })
    expect(parseRequest('register', LEAST.register)).toMatchObject({ labels: {} })
    expect(parseRequest('get', LEAST.get)).toMatchObject({ payload: false })
    expect(parseRequest('wait', LEAST.wait)).toMatchObject({ waitMs: 30_000 })
    expect(parseRequest('list', LEAST.list)).toEqual({ verb: 'list', limit: 100 })
  })

  it('takes trailing nils of an item left off', () => {
    const complete = parseRequest('complete', { tasks: [held, [...held, null]] })
    const progress = parseRequest('progress', {
      tasks: [held, [...held, 50], [...held, null, 'x']],
    })

    const lease = { id: TASK_1, token: TOKEN }
    expect(complete).toMatchObject({ tasks: [{ result: undefined }, { result: undefined }] })
    expect(progress).toMatchObject({
      tasks: [
        { ...lease, percent: undefined, note: undefined },
        { ...lease, percent: 50, note: undefined },
        { ...lease, percent: undefined, note: 'x' },
      ],
    })
  })

  it('points at the field and the item in its details', () => {
    const tasks = [task, task, task, [TASK_1, 'mail.send', PAYLOAD, { priority: 300 }]]
    const error = refusalOf(() => parseRequest('enqueue', { queue: 'mail', tasks }))

    expect(error.message).toBe(
      'tasks[3].options.priority must be an integer from 0 to 255, got 300',
    )
    expect(error.details).toEqual({ field: 'tasks[3].options.priority', index: 3 })
  })

  it('does not repeat texts that may be secret', () => {
    expect(saysTo('hello', { token: ['hush'] })).toBe(
      'BAD_REQUEST: token must be a str, got an array of 1',
    )
    expect(saysTo('hello', { token: 'hush'.repeat(300) })).toBe(
      'TOO_LARGE: token may have 1024 bytes, got 1200',
    )
  })
})

describe('sessions', () => {
  it('looks at the version of a hello before anything else', () => {
    const error = refusalOf(() => parseRequest('hello', { protocol: 2, sparkle: true }))

    expect(error.code).toBe('UNSUPPORTED')
    expect(error.message).toBe('this broker speaks protocol 1, the client asked for 2')
    expect(error.details).toEqual({ field: 'protocol', protocol: 1 })
  })

  it('refuses wrong fields of hello, abort and register', () => {
    expect(saysTo('hello', { protocol: '1' })).toBe(
      'BAD_REQUEST: protocol must be an integer from 1 to 65535, got a str',
    )
    expect(saysTo('hello', { client: null })).toBe('BAD_REQUEST: client must be a map, got nothing')
    expect(saysTo('hello', { client: { name: 'a' } })).toBe(
      'BAD_REQUEST: client.version must be a str, got nothing',
    )
    expect(saysTo('hello', { client: { name: 'a', version: '1', os: 'x' } })).toBe(
      'BAD_REQUEST: client.os is not a known field; there are name, version',
    )
    expect(saysTo('hello', { session: SESSION.subarray(1) })).toBe(
      'BAD_REQUEST: session must be a bin of 16 bytes',
    )
    expect(saysTo('abort', { id: 2 ** 32 })).toContain('id must be an integer from 1 to 4294967295')
    expect(saysTo('register', { slots: 0 })).toBe(
      'BAD_REQUEST: slots must be an integer from 1 to 10000, got 0',
    )
    expect(saysTo('register', { name: '' })).toBe('BAD_REQUEST: name must not be empty')
    expect(saysTo('register', { name: 'a\nb' })).toBe(
      'BAD_REQUEST: name must not have control characters',
    )
    expect(saysTo('register', { labels: { gpu: null } })).toBe(
      'BAD_REQUEST: labels.gpu must be a str, a number, true or false',
    )
    expect(saysTo('register', { labels: { '': 1 } })).toBe(
      'BAD_REQUEST: labels must not have an empty name',
    )
    expect(saysTo('register', { labels: { a: 'x'.repeat(129) } })).toBe(
      'TOO_LARGE: labels.a may have 128 bytes, got 129',
    )
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`l${at}`, at]))
    expect(saysTo('register', { labels: many })).toBe(
      'TOO_LARGE: labels may have 32 labels, got 33',
    )
  })

  it('takes labels of each kind', () => {
    const labels = { gpu: true, zone: 'eu', weight: 0.5, empty: '' }

    expect(parseRequest('register', { ...LEAST.register, labels })).toMatchObject({ labels })
  })
})

describe('queue names', () => {
  it('takes letters, digits and _.:/- up to 128 bytes', () => {
    for (const queue of ['a', '0', 'Mail', 'media/video.4k:eu_1-b', 'x'.repeat(128)]) {
      expect(isQueueName(queue)).toBe(true)
      expect(parseRequest('stats', { queue })).toEqual({ verb: 'stats', queue })
    }
  })

  it('refuses all else', () => {
    for (const queue of ['-a', '/a', '.', 'a b', 'a*', 'grüße', 'a\n', '__proto__']) {
      expect(isQueueName(queue)).toBe(false)
      expect(saysTo('stats', { queue })).toBe(
        'BAD_REQUEST: queue must begin with a letter or digit and have letters, digits and _.:/- only',
      )
    }
    expect(isQueueName('')).toBe(false)
    expect(isQueueName('x'.repeat(129))).toBe(false)
    expect(saysTo('stats', { queue: '' })).toBe('BAD_REQUEST: queue must not be empty')
    expect(saysTo('stats', { queue: 'x'.repeat(129) })).toBe(
      'TOO_LARGE: queue may have 128 bytes, got 129',
    )
    expect(saysTo('enqueue', { queue: undefined })).toBe(
      'BAD_REQUEST: queue must be a str, got nothing',
    )
  })
})

describe('enqueue', () => {
  it('refuses wrong tasks', () => {
    expect(saysTo('enqueue', { tasks: [] })).toBe('BAD_REQUEST: tasks must not be empty')
    expect(saysTo('enqueue', { tasks: 'x' })).toBe('BAD_REQUEST: tasks must be an array, got a str')
    expect(saysTo('enqueue', { tasks: Array.from({ length: 1_001 }, () => task) })).toBe(
      'TOO_LARGE: tasks may have 1000 items, got 1001',
    )
    expect(saysTo('enqueue', { tasks: [task, {}] })).toBe(
      'BAD_REQUEST: tasks[1] must be an array, got a map',
    )
    expect(saysTo('enqueue', { tasks: [[TASK_1, 'x']] })).toBe(
      'BAD_REQUEST: tasks[0] must be an array of 3 to 4 values, got 2',
    )
    expect(saysTo('enqueue', { tasks: [[SESSION, 'x', PAYLOAD]] })).toBe(
      'BAD_REQUEST: tasks[0].id must be a UUIDv7 as a bin of 16 bytes',
    )
    expect(saysTo('enqueue', { queue: 'reports' })).toBe(
      'BAD_REQUEST: tasks[0].id must have the slot of its queue, 840, got 302',
    )
    expect(saysTo('enqueue', { tasks: [[null, '', PAYLOAD]] })).toBe(
      'BAD_REQUEST: tasks[0].type must not be empty',
    )
    expect(saysTo('enqueue', { tasks: [[null, 'é'.repeat(65), PAYLOAD]] })).toBe(
      'TOO_LARGE: tasks[0].type may have 128 bytes, got 130',
    )
    expect(saysTo('enqueue', { tasks: [[null, 'a\u0085', PAYLOAD]] })).toBe(
      'BAD_REQUEST: tasks[0].type must not have control characters',
    )
    expect(saysTo('enqueue', { tasks: [[null, 'x', 'text']] })).toBe(
      'BAD_REQUEST: tasks[0].payload must be a bin, got a str',
    )
    expect(saysTo('enqueue', { tasks: [[null, 'x', new Uint8Array(2 ** 20 + 1)]] })).toBe(
      'TOO_LARGE: tasks[0].payload may have 1048576 bytes, got 1048577',
    )
    expect(saysTo('enqueue', { fresh: 1 })).toBe(
      'BAD_REQUEST: fresh must be true or false, got a number',
    )
    expect(saysTo('enqueue', { sentAgoMs: -1 })).toContain('sentAgoMs must be an integer from 0')
  })

  it('takes types of 1 to 128 bytes', () => {
    const tasks = ['x', 'é'.repeat(64), 'x'].map((type) => [null, type, PAYLOAD])

    expect(parseRequest('enqueue', { queue: 'mail', tasks })).toMatchObject({
      tasks: [{ type: 'x' }, { type: 'é'.repeat(64) }, { type: 'x' }],
    })
  })

  it('refuses wrong numbers among the options', () => {
    for (const [name, range] of Object.entries({
      priority: '0 to 255',
      runAtMs: '0 to 253402300799999',
      delayMs: '0 to 31622400000',
      ttlMs: '1 to 31622400000',
      maxAttempts: '1 to 100',
      maxLost: '1 to 100',
      timeoutMs: '1 to 2592000000',
      durationHintMs: '0 to 2592000000',
      sizeHintBytes: '0 to 9007199254740991',
    })) {
      const [min, max] = range.split(' to ').map(Number) as [number, number]
      for (const wrong of [min - 1, max + 1, min + 0.5]) {
        expect(saysToOptions({ [name]: wrong })).toBe(
          `BAD_REQUEST: ${name} must be an integer from ${range}, got ${wrong}`,
        )
      }
      for (const right of [min, max]) {
        const request = parseRequest('enqueue', {
          queue: 'mail',
          tasks: [[...task, { [name]: right }]],
        })
        expect(request).toMatchObject({ tasks: [{ options: { [name]: right } }] })
      }
    }
  })

  it('refuses other wrong options', () => {
    expect(saysToOptions({ runAtMs: 1, delayMs: 1 })).toBe(
      'BAD_REQUEST: delayMs must not come together with runAtMs; give one of them',
    )
    expect(saysToOptions({ prio: 5 })).toContain('prio is not a known field; there are priority, ')
    expect(saysToOptions({ prio: null })).toContain(
      'prio is not a known field; there are priority, ',
    )
    expect(saysToOptions({ idempotencyKey: '' })).toBe(
      'BAD_REQUEST: idempotencyKey must not be empty',
    )
    expect(saysToOptions({ requires: 'gpu' })).toBe(
      'BAD_REQUEST: requires must be a map, got a str',
    )
    expect(saysToOptions({ headers: { a: 1 } })).toBe(
      'BAD_REQUEST: headers.a must be a str, got a number',
    )
    expect(saysToOptions({ headers: { a: 'x'.repeat(4_096), b: 'x'.repeat(4_095) } })).toBe(
      'TOO_LARGE: headers may have 8192 bytes in all, got 8193',
    )
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`h${at}`, '']))
    expect(saysToOptions({ headers: many })).toBe('TOO_LARGE: headers may have 64 names, got 65')
    expect(saysToOptions({ trace: {} })).toBe(
      'BAD_REQUEST: trace.traceparent must be a str, got nothing',
    )
    expect(saysToOptions({ trace: { traceparent: 'x', baggage: 'y' } })).toBe(
      'BAD_REQUEST: trace.baggage is not a known field; there are traceparent, tracestate',
    )
    const text = saysTo('enqueue', { tasks: [[...task, [1]]] })
    expect(text).toBe('BAD_REQUEST: tasks[0].options must be a map, got an array of 1')
  })

  it('takes nil for an option as left out', () => {
    const options = { priority: null, headers: null, trace: { traceparent: 'x', tracestate: null } }

    expect(parseRequest('enqueue', { queue: 'mail', tasks: [[...task, options]] })).toEqual({
      verb: 'enqueue',
      queue: 'mail',
      tasks: [
        {
          id: TASK_1,
          type: 'mail.send',
          payload: PAYLOAD,
          options: { trace: { traceparent: 'x' } },
        },
      ],
      fresh: false,
    })
  })

  it('refuses wrong retry policies', () => {
    const says = (retry: unknown): string => saysToOptions({ retry })

    expect(says(5)).toBe('BAD_REQUEST: retry must be a map, got a number')
    expect(says({ kind: 'never' })).toBe(
      'BAD_REQUEST: retry.kind must be one of exponential, linear, fixed, got "never"',
    )
    expect(says({ kind: 5 })).toContain('fixed, got a number')
    expect(says({ baseMs: -1 })).toContain('retry.baseMs must be an integer from 0')
    expect(says({ factor: 0.5 })).toBe(
      'BAD_REQUEST: retry.factor must be a number from 1 to 100, got 0.5',
    )
    expect(says({ jitter: 'x' })).toBe(
      'BAD_REQUEST: retry.jitter must be a number from 0 to 1, got a str',
    )
    expect(says({ capMs: 1.5 })).toContain('retry.capMs must be an integer')
    expect(says({ times: 3 })).toContain('retry.times is not a known field; there are kind, baseMs')
    expect(says({ notRetryable: [''] })).toBe(
      'BAD_REQUEST: retry.notRetryable[0] must not be empty',
    )
    expect(says({ notRetryable: Array.from({ length: 33 }, () => 'x') })).toBe(
      'TOO_LARGE: retry.notRetryable may have 32 items, got 33',
    )
  })
})

describe('claim', () => {
  it('refuses wrong fields', () => {
    expect(saysTo('claim', { queues: [] })).toBe('BAD_REQUEST: queues must not be empty')
    expect(saysTo('claim', { queues: ['mail', '*'] })).toContain('queues[1] must begin with')
    expect(saysTo('claim', { queues: ['mail', 'mail'] })).toBe(
      'BAD_REQUEST: queues must not name a queue twice',
    )
    const many = Array.from({ length: 101 }, (_, at) => `q${at}`)
    expect(saysTo('claim', { queues: many })).toBe('TOO_LARGE: queues may have 100 items, got 101')
    expect(saysTo('claim', { claim: 0 })).toContain('claim must be an integer from 1 to 9007')
    expect(saysTo('claim', { claim: null })).toContain('got nothing')
    expect(saysTo('claim', { max: 0 })).toContain('max must be an integer from 1 to 1000, got 0')
    expect(saysTo('claim', { waitMs: 30_001 })).toContain(
      'waitMs must be an integer from 0 to 30000',
    )
    expect(saysTo('claim', { leaseMs: 999 })).toContain('leaseMs must be an integer from 1000 to')
    expect(saysTo('claim', { start: 'yes' })).toContain('start must be true or false')
    expect(saysTo('claim', { order: 'random' })).toContain('order must be one of round, strict')
    expect(saysTo('claim', { weights: { other: 1 } })).toBe(
      'BAD_REQUEST: weights.other is not one of the queues of this claim',
    )
    expect(saysTo('claim', { weights: { mail: 101 } })).toContain(
      'weights.mail must be an integer from 1 to 100, got 101',
    )
    expect(saysTo('claim', { minPriority: 256 })).toContain('minPriority must be an integer')
  })
})

describe('attempts', () => {
  it('refuses wrong leases', () => {
    for (const verb of ['start', 'release', 'complete', 'progress'] as const) {
      expect(saysTo(verb, { tasks: [held, [TASK_2, 0]] })).toBe(
        'BAD_REQUEST: tasks[1].token must be an integer from 1 to 9007199254740991, got 0',
      )
      expect(saysTo(verb, { tasks: [[TASK_1]] })).toContain('tasks[0] must be an array of 2')
    }
    expect(saysTo('start', { tasks: [[TASK_1, TOKEN, 1]] })).toBe(
      'BAD_REQUEST: tasks[0] must be an array of 2 values, got 3',
    )
    expect(saysTo('heartbeat', { leases: [['x', 1]] })).toContain('leases[0].id must be a UUIDv7')
    expect(saysTo('heartbeat', { received: null })).toContain('received must be an integer from 0')
    const many = Array.from({ length: 10_001 }, () => held)
    expect(saysTo('heartbeat', { leases: many })).toBe(
      'TOO_LARGE: leases may have 10000 items, got 10001',
    )
    expect(saysTo('complete', { tasks: [[...held, 'x']] })).toContain(
      'tasks[0].result must be a bin',
    )
    expect(saysTo('progress', { tasks: [[...held, 101]] })).toBe(
      'BAD_REQUEST: tasks[0].percent must be a number from 0 to 100, got 101',
    )
    expect(saysTo('progress', { tasks: [[...held, 1, 'x'.repeat(257)]] })).toBe(
      'TOO_LARGE: tasks[0].note may have 256 bytes, got 257',
    )
  })

  it('refuses wrong failures', () => {
    const says = (...rest: readonly unknown[]): string =>
      saysTo('fail', { tasks: [[...held, ...rest]] })

    expect(says('it broke')).toBe('BAD_REQUEST: tasks[0].error must be a map, got a str')
    expect(says({})).toBe('BAD_REQUEST: tasks[0].error.message must be a str, got nothing')
    expect(says({ message: 'x', code: 5 })).toBe(
      'BAD_REQUEST: tasks[0].error.code is not a known field; there are message, type, stack',
    )
    expect(says({ message: 'x' }, { retry: true })).toBe(
      'BAD_REQUEST: tasks[0].options.retry is not a known field; there are retryable, retryAfterMs',
    )
    expect(says({ message: 'x' }, { retryable: 0 })).toContain('tasks[0].options.retryable must be')
    expect(says({ message: 'x' }, { retryAfterMs: -5 })).toContain(
      'retryAfterMs must be an integer',
    )
  })

  it('cuts the texts of an error to what is kept, at the end of a character', () => {
    const error = { message: 'é'.repeat(3_000), type: 'x'.repeat(200), stack: 'y'.repeat(20_000) }
    const short = { message: 'm'.repeat(4_096), type: 't', stack: 's' }

    const request = parseRequest('fail', {
      tasks: [
        [...held, error],
        [...held, { ...error, message: `a${error.message}` }],
        [...held, short],
      ],
    })

    expect(request).toMatchObject({
      tasks: [
        { error: { message: 'é'.repeat(2_048), type: 'x'.repeat(128), stack: 'y'.repeat(16_384) } },
        { error: { message: `a${'é'.repeat(2_047)}` } },
        { error: short },
      ],
    })
  })

  it('leaves out what a failure does not say', () => {
    const request = parseRequest('fail', {
      tasks: [[...held, { message: 'x', type: null }, { retryable: null, retryAfterMs: 0 }]],
    })

    expect(request).toEqual({
      verb: 'fail',
      tasks: [{ id: TASK_1, token: TOKEN, error: { message: 'x' }, retryAfterMs: 0 }],
    })
  })
})

describe('operators', () => {
  it('refuses wrong fields', () => {
    expect(saysTo('cancel', { ids: [TASK_1, 'x'] })).toBe(
      'BAD_REQUEST: ids[1] must be a UUIDv7 as a bin of 16 bytes',
    )
    expect(saysTo('cancel', { reason: 'x'.repeat(513) })).toBe(
      'TOO_LARGE: reason may have 512 bytes, got 513',
    )
    expect(saysTo('redrive', { ids: [] })).toBe('BAD_REQUEST: ids must not be empty')
    expect(saysTo('set-priority', { priority: null })).toContain('priority must be an integer')
    expect(saysTo('get', { payload: 'yes' })).toContain('payload must be true or false')
    expect(saysTo('wait', { waitMs: -1 })).toContain('waitMs must be an integer from 0 to 30000')
    expect(saysTo('list', { limit: 0 })).toContain('limit must be an integer from 1 to 1000, got 0')
    expect(saysTo('list', { state: 'pending' })).toContain('state must be one of scheduled, queued')
    expect(saysTo('list', { cursor: 'x'.repeat(1_025) })).toContain('cursor may have 1024 bytes')
    expect(saysTo('list', { type: '' })).toBe('BAD_REQUEST: type must not be empty')
    expect(saysTo('queue-purge', { cursor: '' })).toBe('BAD_REQUEST: cursor must not be empty')
  })

  it('refuses wrong settings', () => {
    expect(saysTo('queue-set', { settings: null })).toBe(
      'BAD_REQUEST: settings must be a map, got nothing',
    )
    expect(saysToSettings({ colour: 1 })).toContain(
      'colour is not a known field; there are order, ',
    )
    expect(saysToSettings({ order: 'lifo' })).toContain('order must be one of aging, strict')
    for (const [name, range] of Object.entries({
      agingMsPerLevel: '0 to 31622400000',
      tasksMax: '1 to 100000000',
      maxAttempts: '1 to 100',
      maxLost: '1 to 100',
      retentionMs: '0 to 316224000000',
      retentionCount: '0 to 10000000',
      deadRetentionMs: '0 to 316224000000',
      deadRetentionCount: '0 to 10000000',
    })) {
      expect(saysToSettings({ [name]: -1 })).toBe(
        `BAD_REQUEST: ${name} must be an integer from ${range}, got -1`,
      )
    }
    expect(saysToSettings({ retry: { jitter: 2 } })).toContain('retry.jitter must be a number')
  })

  it('completes a retry policy of a queue with the defaults', () => {
    expect(
      parseRequest('queue-set', { queue: 'mail', settings: { retry: { baseMs: 1 } } }),
    ).toEqual({
      verb: 'queue-set',
      queue: 'mail',
      settings: {
        retry: {
          kind: 'exponential',
          baseMs: 1,
          factor: 2,
          capMs: 3_600_000,
          jitter: 0.1,
          notRetryable: [],
        },
      },
    })
  })

  it('refuses wrong timeout policies', () => {
    const says = (timeouts: unknown): string => saysToSettings({ timeouts })
    const bounds = { floorMs: 1, ceilingMs: 2 }

    expect(says([])).toBe('BAD_REQUEST: timeouts must be a map, got an array of 0')
    expect(says({ x: 5 })).toBe('BAD_REQUEST: timeouts.x must be a map, got a number')
    expect(says({ x: { kind: 'none' } })).toContain(
      'timeouts.x.kind must be one of fixed, duration-hint',
    )
    expect(says({ x: { kind: 'fixed', ms: 0 } })).toContain(
      'timeouts.x.ms must be an integer from 1',
    )
    expect(says({ x: { kind: 'fixed', ms: 1, factor: 2 } })).toBe(
      'BAD_REQUEST: timeouts.x.factor is not a known field; there are kind, ms',
    )
    expect(says({ x: { kind: 'duration-hint', factor: -1, ...bounds } })).toContain(
      'timeouts.x.factor must be a number from 0 to 1000, got -1',
    )
    expect(says({ x: { kind: 'size-hint', msPerMiB: 0, ...bounds } })).toContain(
      'timeouts.x.msPerMiB must be a number from 1',
    )
    expect(says({ x: { kind: 'size-hint', msPerMiB: 1, floorMs: 3, ceilingMs: 2 } })).toBe(
      'BAD_REQUEST: timeouts.x.floorMs must not be above ceilingMs, 2, got 3',
    )
    expect(says({ '': { kind: 'fixed', ms: 1 } })).toBe(
      'BAD_REQUEST: timeouts must not have an empty name',
    )
    const many = Object.fromEntries(
      Array.from({ length: 101 }, (_, at) => [`t${at}`, { kind: 'fixed', ms: 1 }]),
    )
    expect(says(many)).toBe('TOO_LARGE: timeouts may name 100 types, got 101')
  })
})
