// Comparing runs: what noise lets see, and what it does not.

import { describe, expect, it } from 'vitest'
import { compare, verdict } from './comparison.ts'

describe('comparing two sets of runs', () => {
  it('sees a difference that is larger than the noise', () => {
    const comparison = compare([100, 101, 99, 102, 100], [108, 110, 107, 109, 108])

    expect(comparison.isDifferent).toBe(true)
    expect(comparison.ratio).toBeCloseTo(1.08, 2)
    expect(verdict('tasksPerSecond', comparison)).toMatch(
      /^faster by 8\.\d % \(\d\.\d\.\.(9\.\d|10|11)\)$/,
    )
  })

  it('sees none where the runs lie among each other', () => {
    const comparison = compare([100, 120, 90, 110, 105], [101, 95, 115, 108, 99])

    expect(comparison.isDifferent).toBe(false)
    expect(verdict('tasksPerSecond', comparison)).toMatch(/^no difference that this noise lets see/)
  })

  it('is not led astray by one run gone wrong', () => {
    const comparison = compare([100, 101, 99, 102, 5], [108, 110, 107, 109, 108])

    expect(comparison.ratio).toBeGreaterThan(1.05)
    expect(comparison.ratio).toBeLessThan(1.12)
  })

  it('gives no verdict on three runs, whatever they say', () => {
    const comparison = compare([1, 1, 1], [2, 2, 2])

    expect(comparison.interval).toBeUndefined()
    expect(comparison.isDifferent).toBe(false)
    expect(verdict('tasksPerSecond', comparison)).toBe(
      '+100 %, too few runs to tell: 4 of each would',
    )
  })

  it('gives one on four runs that are clearly apart', () => {
    expect(compare([1, 2, 3, 4], [5, 6, 7, 8]).isDifferent).toBe(true)
  })

  it('has the critical values of the tables of Mann and Whitney', () => {
    // So many of the ratios lie below the interval: the largest U that is still rare on that side.
    const below = (countA: number, countB: number): number => {
      const a = Array.from({ length: countA }, (_, n) => 100 + n ** 1.3)
      const b = Array.from({ length: countB }, (_, n) => 101 + n ** 1.1)
      const from = compare(a, b).interval?.from ?? 0
      return b.flatMap((of) => a.map((to) => of / to)).filter((ratio) => ratio < from).length
    }

    expect([below(4, 4), below(5, 5), below(8, 7), below(10, 10)]).toEqual([0, 2, 10, 23])
  })

  it('calls less time faster, and less of anything else less', () => {
    const half = compare([2, 2.1, 2.2, 2.3], [1, 1.01, 1.02, 1.03])

    expect(verdict('startP99Ms', half)).toMatch(/^faster by/)
    expect(verdict('brokerUsPerTask', half)).toMatch(/^less by/)
    expect(verdict('tasksPerSecond', half)).toMatch(/^slower by/)
  })

  it('holds equal values for equal, zeros too', () => {
    const same = compare([0, 0, 0, 0], [0, 0, 0, 0])

    expect(same.ratio).toBe(1)
    expect(same.isDifferent).toBe(false)
    expect(verdict('someMs', compare([0], [1]))).toBe('nothing to compare')
  })
})
