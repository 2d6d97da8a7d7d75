// How tq-admin ends, as a number for scripts.

import { ERROR_CODES, type ErrorCode } from '@tq/client'
import { describe, expect, it } from 'vitest'
import { EXIT_CODES, exitCodeOfError, exitCodeOfState, exitCodesText } from './exit-code.ts'

describe('exit codes', () => {
  it('never calls a refusal a success', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      expect(exitCodeOfError(code)).toBeGreaterThan(0)
    }
  })

  it.each([
    ['BAD_REQUEST', 2],
    ['NOT_FOUND', 3],
    ['CONFLICT', 4],
    ['INVALID_STATE', 4],
    ['UNAUTHENTICATED', 5],
    ['FORBIDDEN', 5],
    ['UNAVAILABLE', 6],
    ['TIMEOUT', 6],
    ['INTERNAL', 1],
  ] as const)('%s is %d', (code, exitCode) => {
    expect(exitCodeOfError(code)).toBe(exitCode)
  })

  it('counts an unknown code of a newer broker as a failure', () => {
    expect(exitCodeOfError('WHATEVER' as ErrorCode)).toBe(1)
  })

  it('is 0 only for a task that completed', () => {
    expect(exitCodeOfState('completed')).toBe(0)
    expect(exitCodeOfState('dead')).toBe(1)
    expect(exitCodeOfState('cancelled')).toBe(1)
    expect(exitCodeOfState('expired')).toBe(1)
  })

  it('has a line of help for each', () => {
    expect(exitCodesText().split('\n')).toHaveLength(1 + Object.keys(EXIT_CODES).length)
  })
})
