// Laws of reporting what a handler threw.

import { TqError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { failureOf, HandlerError } from './handler-error.ts'

describe('failureOf', () => {
  it('keeps name, message and stack of an error', () => {
    const { error, ...wishes } = failureOf(new RangeError('too far'))

    expect(error).toMatchObject({ type: 'RangeError', message: 'too far' })
    expect(error.stack).toContain('RangeError: too far')
    expect(wishes).toEqual({})
  })

  it('hears the wishes of a HandlerError, and of any error that has them', () => {
    const cause = new Error('below')
    const own = new HandlerError('no', { retryable: false, type: 'Gone', cause })
    const foreign = Object.assign(new Error('later'), { retryAfterMs: 10.4, retryable: true })

    expect(failureOf(own)).toMatchObject({ error: { type: 'Gone' }, retryable: false })
    expect(own.cause).toBe(cause)
    expect(failureOf(foreign)).toMatchObject({ retryAfterMs: 10, retryable: true })
    expect(failureOf(new HandlerError('plain'))).toMatchObject({ error: { type: 'HandlerError' } })
  })

  it('does not take a refused request of the handler for a wish', () => {
    const { error, ...wishes } = failureOf(
      new TqError('NOT_FOUND', 'no such task', { retryAfterMs: 5 }),
    )

    expect(error.type).toBe('TqError')
    expect(wishes).toEqual({})
  })

  it('leaves out wishes that make no sense', () => {
    const odd = Object.assign(new Error('odd'), { retryAfterMs: -1, retryable: 'no' })

    expect(failureOf(odd)).not.toHaveProperty('retryAfterMs')
    expect(failureOf(odd)).not.toHaveProperty('retryable')
  })

  it.each([
    ['text', 'the handler threw text', 'thrown string'],
    [{ a: 1 }, 'the handler threw {"a":1}', 'thrown object'],
    [undefined, 'the handler threw undefined', 'thrown undefined'],
    [1n, 'the handler threw [object BigInt]', 'thrown bigint'],
  ])('describes %o, which is no error', (thrown, message, type) => {
    expect(failureOf(thrown).error).toEqual({ message, type })
  })

  it('cuts what is too long, and needs neither message nor stack', () => {
    const long = new Error('x'.repeat(10_000))
    const bare = new Error()
    delete bare.stack

    expect(failureOf(long).error.message).toHaveLength(4_096)
    expect(failureOf(long).error.stack?.length).toBeLessThanOrEqual(16_384)
    expect(failureOf(bare).error).toEqual({ message: 'Error', type: 'Error' })
  })
})
