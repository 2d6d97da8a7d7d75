// T13: a leak is found in noise, and noise alone is not taken for one.

import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type Point, studentQuantile, trendOf } from './trend.ts'

/** Two hours of samples, one each 30 s. */
function series(valueAt: (at: number, index: number) => number): readonly Point[] {
  return Array.from({ length: 240 }, (_, index) => {
    const at = index / 120
    return { at, value: valueAt(at, index) }
  })
}

describe('the trend of a series', () => {
  it('is exactly the slope of a straight line', () => {
    const trend = trendOf(series((at) => 100 + 3 * at))

    expect(trend?.perHour).toBeCloseTo(3, 9)
    expect(trend?.low).toBeCloseTo(3, 6)
    expect(trend?.high).toBeCloseTo(3, 6)
    expect(trend?.blocks).toBe(24)
  })

  it('says nothing of what is too short to have one', () => {
    expect(trendOf([])).toBeUndefined()
    expect(trendOf([{ at: 0, value: 1 }])).toBeUndefined()
    const two = [
      { at: 0, value: 1 },
      { at: 1, value: 9 },
    ]
    expect(trendOf(two)).toBeUndefined()
  })

  it('is 0 for what does not change', () => {
    expect(trendOf(series(() => 5))).toMatchObject({ perHour: 0, low: 0, high: 0, mean: 5 })
  })

  it('finds 2 MiB an hour below a saw tooth of 10 MiB', () => {
    const trend = trendOf(series((at, index) => 100 + 2 * at + (index % 10)))

    expect(trend?.low).toBeGreaterThan(0)
    expect(trend?.high).toBeLessThan(4)
  })

  it('holds the true slope in 95 of 100 intervals, even if neighbours resemble each other', () => {
    const random = new SeededRandom(7, 'noise')
    let hits = 0
    for (let round = 0; round < 400; round += 1) {
      let drift = 0
      const points = series((at) => {
        drift = 0.9 * drift + (random.chance() - 0.5)
        return 50 + 1 * at + drift
      })
      const trend = trendOf(points)
      if (trend !== undefined && trend.low <= 1 && trend.high >= 1) hits += 1
    }

    expect(hits / 400).toBeGreaterThan(0.92)
  })
})

describe("the quantile of Student's distribution", () => {
  it.each([
    [1, 12.706],
    [4, 2.776],
    [6, 2.447],
    [10, 2.228],
    [30, 2.042],
    [1_000, 1.962],
  ])('with %i degrees of freedom is that of the tables', (freedom, quantile) => {
    expect(studentQuantile(freedom)).toBeCloseTo(quantile, 2)
  })
})
