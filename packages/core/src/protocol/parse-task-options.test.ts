// The tasks of an enqueue and their options: ranges, and the words of their refusals.

import { describe, expect, it } from 'vitest'
import { PAYLOAD, SESSION, TASK_1 } from '../../test/golden-value.ts'
import { saysTo, task, type Args } from '../../test/least-request.ts'
import { parseRequest } from './parse-request.ts'

/** What a refusal of a task's options says, without the path to them. */
function saysToOptions(options: Args): string {
  const text = saysTo('enqueue', { tasks: [task, [...task, options]] })
  expect(text).toContain(': tasks[1].options')
  return text.replace('tasks[1].options.', '')
}

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
