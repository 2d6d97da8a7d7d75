// Claims, heartbeats and the ends of attempts: the words with which wrong fields are refused.

import { describe, expect, it } from 'vitest'
import { TASK_1, TASK_2, TOKEN } from '../../test/golden-value.ts'
import { held, saysTo } from '../../test/least-request.ts'
import { parseRequest } from './parse-request.ts'

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
