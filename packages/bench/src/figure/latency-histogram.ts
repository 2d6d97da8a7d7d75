// Latencies as a histogram of high dynamic range: three digits from a microsecond to an hour.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** What is told of many latencies. All in ms, but for the count. */
export interface Latency {
  readonly count: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** Longest latency that is told apart, in µs: nothing under measurement waits for an hour. */
const LONGEST_US = 3_600_000_000
/** Digits that are kept of each value. */
const DIGITS = 3

export class LatencyHistogram {
  readonly #histogram: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: LONGEST_US,
    figures: DIGITS,
  })

  /** Clocks are read in different processes: a latency below a µs is one of 1 µs. */
  recordUs(latencyUs: number): void {
    this.#histogram.record(Math.min(LONGEST_US, Math.max(1, Math.round(latencyUs))))
  }

  summary(): Latency {
    const histogram = this.#histogram
    const quantileMs = (percent: number): number =>
      histogram.count === 0 ? 0 : histogram.percentile(percent) / 1_000
    return {
      count: histogram.count,
      p50Ms: quantileMs(50),
      p90Ms: quantileMs(90),
      p99Ms: quantileMs(99),
      p999Ms: quantileMs(99.9),
      maxMs: quantileMs(100),
    }
  }

  /** Forgets everything, to begin the next sample. */
  reset(): void {
    this.#histogram.reset()
  }
}
