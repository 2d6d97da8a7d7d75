// Medians and bounds of several runs.

import { describe, expect, it } from 'vitest'
import { medianOf, runsOf } from './runs.ts'

describe('several runs', () => {
  it('are told by their median and their bounds', () => {
    expect(runsOf([5, 1, 100])).toEqual({ median: 5, min: 1, max: 100, count: 3 })
  })

  it('have the mean of the two in the middle as their median if they are even', () => {
    expect(medianOf([4, 1, 3, 100])).toBe(3.5)
  })

  it('have none if there were none', () => {
    expect(medianOf([])).toBeNaN()
  })

  it('are put in order as numbers', () => {
    expect(medianOf([10, 9, 100])).toBe(10)
  })
})
