// A stream of random numbers from one seed.

import { describe, expect, it } from 'vitest'
import { chancesFrom } from './chance.ts'

describe('chancesFrom', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    const take = (seed: number): number[] => {
      const chances = chancesFrom(seed)
      return Array.from({ length: 5 }, () => chances())
    }

    expect(take(0.25)).toEqual(take(0.25))
    expect(take(0.25)).not.toEqual(take(0.250_000_1))
    expect(new Set(take(0)).size).toBe(5)
  })

  it('spreads its numbers evenly over [0, 1)', () => {
    const chances = chancesFrom(0.5)
    const tenths = Array.from({ length: 10 }, () => 0)
    for (let count = 0; count < 10_000; count += 1) {
      const tenth = Math.floor(chances() * 10)
      tenths[tenth] = (tenths[tenth] as number) + 1
    }

    expect(tenths).toHaveLength(10)
    for (const count of tenths) expect(count).toBeGreaterThan(880)
    for (const count of tenths) expect(count).toBeLessThan(1_120)
  })
})
