// How long an attempt may run: the task's own word, then the policy of its type, then an hour.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../test/property.ts'
import { TIMEOUT_MS_MAX } from './limits.ts'
import { DEFAULT_TIMEOUT_MS, executionTimeoutMs, type TimeoutPolicy } from './timeout-policy.ts'

const byDuration: TimeoutPolicy = {
  kind: 'duration-hint',
  factor: 3,
  floorMs: 1_000,
  ceilingMs: 60_000,
}
const bySize: TimeoutPolicy = {
  kind: 'size-hint',
  msPerMiB: 100,
  floorMs: 1_000,
  ceilingMs: 60_000,
}

describe('execution timeout', () => {
  it('is an hour without a policy', () => {
    expect(executionTimeoutMs(undefined, {})).toBe(DEFAULT_TIMEOUT_MS)
    expect(DEFAULT_TIMEOUT_MS).toBe(3_600_000)
  })

  it("is the task's own if it has one", () => {
    for (const policy of [undefined, byDuration, bySize, { kind: 'fixed', ms: 9 } as const]) {
      expect(executionTimeoutMs(policy, { timeoutMs: 77, durationHintMs: 5 })).toBe(77)
    }
  })

  it('is fixed, or follows a hint between a floor and a ceiling', () => {
    expect(executionTimeoutMs({ kind: 'fixed', ms: 9 }, { durationHintMs: 5 })).toBe(9)
    expect(executionTimeoutMs(byDuration, { durationHintMs: 5_000 })).toBe(15_000)
    expect(executionTimeoutMs(byDuration, { durationHintMs: 1 })).toBe(1_000)
    expect(executionTimeoutMs(byDuration, { durationHintMs: 1e9 })).toBe(60_000)
    expect(executionTimeoutMs(bySize, { sizeHintBytes: 20 * 2 ** 20 })).toBe(2_000)
    expect(executionTimeoutMs(bySize, { sizeHintBytes: 0 })).toBe(1_000)
  })

  it('is the ceiling if the hint is missing', () => {
    expect(executionTimeoutMs(byDuration, { sizeHintBytes: 5 })).toBe(60_000)
    expect(executionTimeoutMs(bySize, { durationHintMs: 5 })).toBe(60_000)
  })
})

describe('properties', () => {
  it('is always a whole number of ms within its limits', () => {
    const ms = fc.integer({ min: 1, max: TIMEOUT_MS_MAX })
    const policy: fc.Arbitrary<TimeoutPolicy | undefined> = fc.oneof(
      fc.constant(undefined),
      fc.record({ kind: fc.constant('fixed' as const), ms }),
      fc.record({
        kind: fc.constant('duration-hint' as const),
        factor: fc.double({ min: 0, max: 1_000, noNaN: true }),
        floorMs: ms,
        ceilingMs: ms,
      }),
      fc.record({
        kind: fc.constant('size-hint' as const),
        msPerMiB: fc.double({ min: 1, max: 1e9, noNaN: true }),
        floorMs: ms,
        ceilingMs: ms,
      }),
    )
    const hints = fc.record(
      { timeoutMs: ms, durationHintMs: fc.nat(), sizeHintBytes: fc.maxSafeNat() },
      { requiredKeys: [] },
    )
    const property = fc.property(policy, hints, (given, hinted) => {
      const timeoutMs = executionTimeoutMs(given, hinted)
      expect(Number.isInteger(timeoutMs)).toBe(true)
      expect(timeoutMs).toBeGreaterThanOrEqual(1)
      expect(timeoutMs).toBeLessThanOrEqual(TIMEOUT_MS_MAX)
    })
    assertProperty(property, 1_000)
  })
})
