// Laws of waiting before another try.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

describe('backoffMs', () => {
  const backoff = { baseMs: 50, capMs: 5_000 }

  it('doubles its bound with each failure, up to the cap', () => {
    const bounds = [1, 2, 3, 8, 100].map((failures) => backoffMs(backoff, failures, 0.9999))

    expect(bounds).toEqual([49, 99, 199, 4_999, 4_999])
  })

  it('is anywhere between nothing and its bound', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failures, chance) => {
        const ms = backoffMs(backoff, failures, chance)
        expect(ms).toBeGreaterThanOrEqual(0)
        expect(ms).toBeLessThan(backoff.capMs)
      },
    )
    fc.assert(property)
  })
})
