// Does a series grow? The slope of a straight line through it, and how sure one can be of it.

export interface Point {
  /** In hours. */
  readonly at: number
  readonly value: number
}

export interface Trend {
  readonly perHour: number
  /** The slope lies in here with 95 % confidence. */
  readonly low: number
  readonly high: number
  readonly mean: number
  /** Means of blocks that the line was laid through. */
  readonly blocks: number
}

/** Neighbouring samples resemble each other; means of blocks of this length hardly do, in hours. */
export const BLOCK_HOURS: number = 5 / 60
/** A short series is cut into so many blocks all the same. */
export const BLOCKS_MIN = 8
/** What shows no line: two points always lie on one. */
const BLOCKS_LEAST = 3

/** Undefined if there are too few points to say anything. */
export function trendOf(points: readonly Point[]): Trend | undefined {
  const blocks = blockMeans(points)
  if (blocks.length < BLOCKS_LEAST) return undefined
  const at = mean(blocks.map((block) => block.at))
  const value = mean(blocks.map((block) => block.value))
  const spread = sum(blocks.map((block) => (block.at - at) ** 2))
  const perHour = sum(blocks.map((block) => (block.at - at) * (block.value - value))) / spread
  const residuals = blocks.map((block) => block.value - value - perHour * (block.at - at))
  const freedom = blocks.length - 2
  const variance = sum(residuals.map((residual) => residual ** 2)) / freedom
  const error = Math.sqrt((variance / spread) * inflation(residuals))
  const reach = studentQuantile(freedom) * error
  return {
    perHour,
    low: perHour - reach,
    high: perHour + reach,
    mean: value,
    blocks: blocks.length,
  }
}

function blockMeans(points: readonly Point[]): readonly Point[] {
  const [first] = points
  const last = points.at(-1)
  if (first === undefined || last === undefined || last.at === first.at) return []
  const length = Math.min(BLOCK_HOURS, (last.at - first.at) / BLOCKS_MIN)
  const blocks = new Map<number, Point[]>()
  for (const point of points) {
    // The last point would else be a block of its own.
    const place = Math.min(point.at - first.at, last.at - first.at - length / 2)
    const block = Math.floor(place / length)
    blocks.set(block, [...(blocks.get(block) ?? []), point])
  }
  return [...blocks.values()].map((block) => ({
    at: mean(block.map(({ at }) => at)),
    value: mean(block.map(({ value }) => value)),
  }))
}

/** What is left of the likeness between neighbours makes the slope less certain, never more. */
function inflation(residuals: readonly number[]): number {
  const all = sum(residuals.map((residual) => residual ** 2))
  if (all === 0) return 1
  const pairs = sum(residuals.slice(1).map((next, at) => next * (residuals[at] ?? 0)))
  const seen = pairs / all
  // Around a line that was laid through them residuals look less alike than what made them.
  const likeness = Math.min(0.9, Math.max(0, seen + (2 + 4 * seen) / residuals.length))
  return (1 + likeness) / (1 - likeness)
}

/** Exact for few degrees of freedom, where the series below is not. */
const QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571]
const NORMAL_QUANTILE = 1.959964

/** The 97.5 % quantile of Student's t distribution. */
export function studentQuantile(freedom: number): number {
  const exact = QUANTILES[freedom - 1]
  if (exact !== undefined) return exact
  const z = NORMAL_QUANTILE
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  )
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}
