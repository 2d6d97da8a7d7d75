// The values that a figure had in several runs, and what may be said of them together.

export interface Runs {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

export function runsOf(values: readonly number[]): Runs {
  const sorted = sortedOf(values)
  return {
    median: medianOf(sorted),
    min: sorted[0] ?? NaN,
    max: sorted.at(-1) ?? NaN,
    count: sorted.length,
  }
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function medianOf(values: readonly number[]): number {
  const sorted = sortedOf(values)
  const upper = sorted[sorted.length >> 1] ?? NaN
  const lower = sorted[(sorted.length - 1) >> 1] ?? NaN
  return (lower + upper) / 2
}

/** In ascending order. */
export function sortedOf(values: readonly number[]): number[] {
  return values.toSorted((one, other) => one - other)
}
