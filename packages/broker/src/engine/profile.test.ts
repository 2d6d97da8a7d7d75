// A profile: what many tasks share, settled at the enqueue, and its text.

import { DEFAULT_RETRY, type QueueSettings, type TaskOptions } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { isPlain, parseProfile, profileOf } from './profile.ts'
import { DEFAULT_QUEUE_SETTINGS, Queue } from './queue.ts'

function aQueue(settings: Partial<QueueSettings> = {}): Queue {
  return new Queue(7, 'mail', { ...DEFAULT_QUEUE_SETTINGS, ...settings })
}

describe('profileOf', () => {
  it('takes what the task does not say from the queue', () => {
    const retry = { ...DEFAULT_RETRY, baseMs: 1 }
    const queue = aQueue({ maxAttempts: 9, maxLost: 8, retry })

    expect(profileOf(queue, 'send', undefined)).toMatchObject({ maxAttempts: 9, maxLost: 8, retry })
    const options = { maxAttempts: 2, maxLost: 1, retry: { capMs: 5 } }
    expect(profileOf(queue, 'send', options)).toMatchObject({
      maxAttempts: 2,
      maxLost: 1,
      retry: { ...retry, capMs: 5 },
    })
  })

  it('says nothing in its text that is the default of version 1', () => {
    expect(profileOf(aQueue(), 'send', undefined).text).toBe('{"q":7,"t":"send"}')
    const spelledOut: TaskOptions = {
      requires: {},
      maxAttempts: 5,
      maxLost: 3,
      retry: { ...DEFAULT_RETRY },
    }
    expect(profileOf(aQueue(), 'send', spelledOut)).toMatchObject({
      requires: undefined,
      text: '{"q":7,"t":"send"}',
    })
  })

  it('has the same text whatever the order of labels and of the words of a policy', () => {
    const { kind, baseMs, factor, capMs, jitter, notRetryable } = { ...DEFAULT_RETRY, baseMs: 7 }
    const one = {
      requires: { a: 1, b: 2 },
      retry: { kind, baseMs, factor, capMs, jitter, notRetryable },
    }
    const other = {
      requires: { b: 2, a: 1 },
      retry: { notRetryable, jitter, capMs, factor, baseMs, kind },
    }

    expect(profileOf(aQueue(), 'send', one).text).toBe(profileOf(aQueue(), 'send', other).text)
  })
})

describe('isPlain', () => {
  it('is true unless an option says something that a profile holds', () => {
    expect([undefined, {}, { priority: 1, delayMs: 5 }].map(isPlain)).toEqual([true, true, true])
    const telling: TaskOptions[] = [
      { requires: {} },
      { retry: {} },
      { maxAttempts: 5 },
      { maxLost: 3 },
    ]
    expect(telling.map(isPlain)).toEqual([false, false, false, false])
  })
})

describe('parseProfile', () => {
  it('gives nothing if the queue is not known', () => {
    expect(parseProfile('{"q":8,"t":"send"}', () => undefined)).toBeUndefined()
  })

  it('gives back what a text was made of', () => {
    const anyOptions = fc.record(
      {
        maxAttempts: fc.integer({ min: 1, max: 6 }),
        maxLost: fc.integer({ min: 1, max: 6 }),
        requires: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.boolean(), fc.integer())),
        retry: fc.record(
          { baseMs: fc.constantFrom(5_000, 6_000), kind: fc.constantFrom('exponential', 'fixed') },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    )
    const property = fc.property(anyOptions, fc.string(), (options, type) => {
      const queue = aQueue()
      const profile = profileOf(queue, type, options as TaskOptions)
      const parsed = parseProfile(profile.text, (number) => (number === 7 ? queue : undefined))
      expect({ ...parsed, requires: { ...parsed?.requires } }).toEqual({
        ...profile,
        requires: { ...profile.requires },
      })
    })
    assertProperty(property, 200)
  })
})
