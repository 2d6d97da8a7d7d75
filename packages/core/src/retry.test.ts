// Delays before a failed task runs again.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../test/property.ts'
import { DEFAULT_RETRY, isRetryable, retryDelayMs, type RetryPolicy } from './retry.ts'

const NO_JITTER = 0.5

function delays(policy: RetryPolicy, failures: readonly number[]): number[] {
  return failures.map((count) => retryDelayMs(policy, count, NO_JITTER))
}

describe('retry', () => {
  it('doubles from five seconds up to an hour by default', () => {
    expect(delays(DEFAULT_RETRY, [1, 2, 3, 4, 10, 11, 100])).toEqual([
      5_000, 10_000, 20_000, 40_000, 2_560_000, 3_600_000, 3_600_000,
    ])
  })

  it('grows by steps if linear, and not at all if fixed', () => {
    expect(delays({ ...DEFAULT_RETRY, kind: 'linear' }, [1, 2, 3, 1_000])).toEqual([
      5_000, 10_000, 15_000, 3_600_000,
    ])
    expect(delays({ ...DEFAULT_RETRY, kind: 'fixed' }, [1, 2, 3])).toEqual([5_000, 5_000, 5_000])
  })

  it('is bounded by the cap even at once', () => {
    expect(delays({ ...DEFAULT_RETRY, kind: 'fixed', capMs: 1_000 }, [1])).toEqual([1_000])
    expect(delays({ ...DEFAULT_RETRY, baseMs: 0 }, [1, 50])).toEqual([0, 0])
  })

  it('moves the delay by chance within the jitter', () => {
    expect(retryDelayMs(DEFAULT_RETRY, 1, 0)).toBe(4_500)
    expect(retryDelayMs(DEFAULT_RETRY, 1, 0.75)).toBe(5_250)
    expect(retryDelayMs(DEFAULT_RETRY, 1, 1 - 2 ** -53)).toBe(5_500)
  })

  it('retries any error but those that are named', () => {
    const policy = { ...DEFAULT_RETRY, notRetryable: ['BadAddress'] }

    expect(isRetryable(policy, 'BadAddress')).toBe(false)
    expect(isRetryable(policy, 'badaddress')).toBe(true)
    expect(isRetryable(policy, undefined)).toBe(true)
  })
})

describe('properties', () => {
  it('gives whole ms between nothing and the cap with its jitter', () => {
    const property = fc.property(
      fc.record({
        kind: fc.constantFrom('exponential' as const, 'linear' as const, 'fixed' as const),
        baseMs: fc.integer({ min: 0, max: 31_622_400_000 }),
        factor: fc.double({ min: 1, max: 100, noNaN: true }),
        capMs: fc.integer({ min: 0, max: 31_622_400_000 }),
        jitter: fc.double({ min: 0, max: 1, noNaN: true }),
        notRetryable: fc.constant([]),
      }),
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 1 - 2 ** -53, noNaN: true }),
      (policy, failures, chance) => {
        const delayMs = retryDelayMs(policy, failures, chance)
        expect(Number.isInteger(delayMs)).toBe(true)
        expect(delayMs).toBeGreaterThanOrEqual(0)
        expect(delayMs).toBeLessThanOrEqual(Math.ceil(policy.capMs * (1 + policy.jitter)))
        const later = retryDelayMs(policy, failures + 1, chance)
        expect(later).toBeGreaterThanOrEqual(delayMs)
      },
    )
    assertProperty(property, 2_000)
  })
})
