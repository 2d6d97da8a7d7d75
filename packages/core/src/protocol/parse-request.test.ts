// Every verb: its least form, its defaults, and the words with which a wrong field is refused.

import { describe, expect, it } from 'vitest'
import { PAYLOAD, SESSION, TASK_1, TOKEN } from '../../test/golden-value.ts'
import { held, LEAST, saysTo, task } from '../../test/least-request.ts'
import { refusalOf } from '../../test/refusal.ts'
import { isVerb, parseRequest, VERBS } from './parse-request.ts'
import { isQueueName } from './task-field.ts'

describe('parseRequest', () => {
  it('knows all verbs of the protocol, and no others', () => {
    expect(VERBS).toEqual(Object.keys(LEAST))
    expect(['enqueue', 'Enqueue', '__proto__', 'toString', 5, null].map(isVerb)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
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
    for (const number of [NaN, Infinity, -Infinity]) {
      expect(saysTo('register', { labels: { weight: number } })).toBe(
        `BAD_REQUEST: labels.weight must be a finite number, got ${number}`,
      )
    }
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
