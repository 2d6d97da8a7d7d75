// The table of codes, and the error that carries them.

import { describe, expect, it } from 'vitest'
import { ERROR_CODES, isErrorCode, TqError, type ErrorCode } from './error.ts'

describe('error codes', () => {
  it('are these, and may be retried or not for ever', () => {
    const retryable = Object.entries(ERROR_CODES).map(([code, entry]) => [code, entry.retryable])

    expect(Object.fromEntries(retryable)).toEqual({
      BAD_REQUEST: false,
      UNAUTHENTICATED: false,
      FORBIDDEN: false,
      NOT_FOUND: false,
      CONFLICT: false,
      STALE_LEASE: false,
      INVALID_STATE: false,
      TOO_LARGE: false,
      QUEUE_PAUSED: true,
      RESOURCE_EXHAUSTED: true,
      NO_SPACE: true,
      UNAVAILABLE: true,
      NOT_OWNER: true,
      OUTCOME_UNKNOWN: false,
      TIMEOUT: true,
      UNSUPPORTED: false,
      INTERNAL: false,
    })
  })

  it('have a meaning in one sentence each', () => {
    for (const { meaning } of Object.values(ERROR_CODES)) expect(meaning).toMatch(/^[A-Z].+\.$/)
  })

  it('are told from other words', () => {
    const words: unknown[] = ['NOT_FOUND', 'not_found', 'toString', '', 5, null, undefined]
    expect(words.filter(isErrorCode)).toEqual(['NOT_FOUND'])
  })
})

describe('TqError', () => {
  it('says by its code whether to try again', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      expect(new TqError(code, 'x').retryable).toBe(ERROR_CODES[code].retryable)
    }
  })

  it('says how long to wait if it was told', () => {
    expect(new TqError('UNAVAILABLE', 'x', { retryAfterMs: 250 }).retryAfterMs).toBe(250)
    expect(new TqError('UNAVAILABLE', 'x', { retryAfterMs: '250' }).retryAfterMs).toBeUndefined()
    expect(new TqError('UNAVAILABLE', 'x').retryAfterMs).toBeUndefined()
  })

  it('keeps its cause, details and name', () => {
    const cause = new Error('disk')
    const error = new TqError('INTERNAL', 'it broke', { field: 'a' }, cause)

    expect([error.name, error.message, error.details, error.cause]).toEqual([
      'TqError',
      'it broke',
      { field: 'a' },
      cause,
    ])
    expect(Object.hasOwn(new TqError('INTERNAL', 'x'), 'cause')).toBe(false)
    expect(error).toBeInstanceOf(Error)
  })
})
