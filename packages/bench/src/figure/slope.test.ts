// Slopes that one bad sample does not bend.

import { describe, expect, it } from 'vitest'
import { slopeOf } from './slope.ts'

describe('a slope', () => {
  it('is that of a line', () => {
    const points = [0, 1, 2, 3].map((x) => ({ x, y: 10 - 2 * x }))

    expect(slopeOf(points)).toBe(-2)
  })

  it('hardly heeds one stall', () => {
    const points = Array.from({ length: 20 }, (_, x) => ({ x, y: x === 7 ? 0 : 100 + x }))

    expect(slopeOf(points)).toBeCloseTo(1, 1)
  })

  it('of one sample is none', () => {
    expect(slopeOf([{ x: 1, y: 1 }])).toBe(0)
  })
})
