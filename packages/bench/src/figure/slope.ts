// How a figure moves over time: the median of the slopes of all pairs (Theil and Sen).

import { medianOf } from './runs.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

/** Change of y for each unit of x; 0 of fewer than two points. */
export function slopeOf(points: readonly Point[]): number {
  const slopes = points.flatMap((one, index) =>
    points
      .slice(index + 1)
      .filter((other) => other.x !== one.x)
      .map((other) => (other.y - one.y) / (other.x - one.x)),
  )
  return slopes.length === 0 ? 0 : medianOf(slopes)
}
