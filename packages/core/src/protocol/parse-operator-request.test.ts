// The verbs of operators and the settings of queues: the words with which wrong fields are refused.

import { describe, expect, it } from 'vitest'
import { TASK_1 } from '../../test/golden-value.ts'
import { saysTo, type Args } from '../../test/least-request.ts'
import { parseRequest } from './parse-request.ts'

function saysToSettings(settings: Args): string {
  return saysTo('queue-set', { settings }).replace('settings.', '')
}

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
    expect(saysTo('backup', { cursor: '' })).toBe('BAD_REQUEST: cursor must not be empty')
    expect(saysTo('backup', { file: 'x' })).toContain('file is not a known field; there are cursor')
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
