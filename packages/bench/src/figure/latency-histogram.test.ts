// Quantiles of latencies.

import { describe, expect, it } from 'vitest'
import { LatencyHistogram } from './latency-histogram.ts'

describe('a histogram of latencies', () => {
  it('tells quantiles to three digits, from microseconds to minutes', () => {
    const histogram = new LatencyHistogram()
    for (let us = 1; us <= 1_000; us += 1) histogram.recordUs(us)
    for (let count = 0; count < 10; count += 1) histogram.recordUs(123_456_789)

    const { count, p50Ms, p90Ms, p99Ms, maxMs } = histogram.summary()

    expect(count).toBe(1_010)
    expect(p50Ms).toBeCloseTo(0.505, 3)
    expect(p90Ms).toBeCloseTo(0.909, 2)
    expect(p99Ms).toBeCloseTo(1, 2)
    expect(maxMs / 123_456.789).toBeCloseTo(1, 3)
  })

  it('keeps one stall among very many', () => {
    const histogram = new LatencyHistogram()
    for (let count = 0; count < 10_000; count += 1) histogram.recordUs(200)
    histogram.recordUs(50_000)

    const { p99Ms, p999Ms, maxMs } = histogram.summary()

    expect(p99Ms).toBeCloseTo(0.2, 2)
    expect(p999Ms).toBeCloseTo(0.2, 2)
    expect(maxMs).toBeCloseTo(50, 1)
  })

  it('takes what is too short or too long at its edges', () => {
    const histogram = new LatencyHistogram()
    histogram.recordUs(-3)
    histogram.recordUs(1e12)

    expect(histogram.summary().p50Ms).toBe(0.001)
    expect(histogram.summary().maxMs).toBeGreaterThan(3_590_000)
  })

  it('tells zeros of nothing, and begins anew', () => {
    const histogram = new LatencyHistogram()
    histogram.recordUs(5_000)
    histogram.reset()

    const nothing = { count: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 }
    expect(histogram.summary()).toEqual(nothing)
  })
})
