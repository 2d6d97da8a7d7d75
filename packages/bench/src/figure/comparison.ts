// Whether two sets of runs differ, and by how much: ranks, so that no outlier decides.

import { medianOf, sortedOf } from './runs.ts'

/** How B stands to A. Ratios are B / A. */
export interface Comparison {
  /** The median of all ratios of a run of B to a run of A (Hodges and Lehmann). */
  readonly ratio: number
  /** Its interval of 95 %, from the distribution of ranks; undefined: too few runs for any. */
  readonly interval: { readonly from: number; readonly to: number } | undefined
  /** The interval does not hold 1: chance alone would do that in one of twenty comparisons. */
  readonly isDifferent: boolean
}

/** Chance that is left outside of the interval, half of it on each side. */
const OUTSIDE = 0.05

/** Runs of each side that a verdict takes at least; with three, chance alone does anything. */
const RUNS_FOR_VERDICT = 4

export function compare(a: readonly number[], b: readonly number[]): Comparison {
  const ratios = sortedOf(b.flatMap((of) => a.map((to) => (of === to ? 1 : of / to))))
  const ratio = medianOf(ratios)
  const outside = ratiosOutside(a.length, b.length)
  if (outside === undefined) return { ratio, interval: undefined, isDifferent: false }
  const from = ratios[outside] ?? NaN
  const to = ratios[ratios.length - 1 - outside] ?? NaN
  return { ratio, interval: { from, to }, isDifferent: from > 1 || to < 1 }
}

/**
 * How many of the smallest ratios, and of the largest, lie outside of the interval: the critical
 * value of the rank test of Mann and Whitney, by counting. Undefined if even the most extreme order
 * of the runs is no rare thing.
 */
function ratiosOutside(countA: number, countB: number): number | undefined {
  const orders = ordersByRankSum(countA, countB)
  const all = orders.reduce((sum, count) => sum + count, 0)
  let share = 0
  for (const [u, count] of orders.entries()) {
    share += count / all
    if (share > OUTSIDE / 2) return u === 0 ? undefined : u - 1
  }
  return undefined
}

/** How many orders of the runs have each value of U, 0 to countA × countB, if all are alike. */
function ordersByRankSum(countA: number, countB: number): readonly number[] {
  // Row by row: orders of `a` runs of A and `b` of B; the last run is one of A, and beats b, or of B.
  let row: number[][] = Array.from({ length: countB + 1 }, () => [1])
  for (let a = 1; a <= countA; a += 1) {
    const next: number[][] = [[1]]
    for (let b = 1; b <= countB; b += 1) {
      const lastIsA = row[b] ?? []
      const lastIsB = next[b - 1] ?? []
      next.push(
        Array.from({ length: a * b + 1 }, (_, u) => (lastIsA[u - b] ?? 0) + (lastIsB[u] ?? 0)),
      )
    }
    row = next
  }
  return row[countB] ?? []
}

/** A comparison as a sentence, by what the figure means. */
export function verdict(figure: string, { ratio, interval, isDifferent }: Comparison): string {
  if (!Number.isFinite(ratio)) return 'nothing to compare'
  if (interval === undefined) {
    return `${signed(ratio)}, too few runs to tell: ${RUNS_FOR_VERDICT} of each would`
  }
  const { from, to } = interval
  if (!isDifferent) {
    return `no difference that this noise lets see (${signed(from)} to ${signed(to)})`
  }
  const [near, far] = ratio > 1 ? [from, to] : [to, from]
  return `${wordFor(figure, ratio)} by ${percent(ratio)} % (${percent(near)}..${percent(far)})`
}

function wordFor(figure: string, ratio: number): string {
  if (figure.endsWith('PerSecond')) return ratio > 1 ? 'faster' : 'slower'
  if (figure.endsWith('Ms')) return ratio > 1 ? 'slower' : 'faster'
  return ratio > 1 ? 'more' : 'less'
}

function percent(ratio: number): string {
  const value = Math.abs(ratio - 1) * 100
  return value < 10 ? value.toFixed(1) : value.toFixed(0)
}

function signed(ratio: number): string {
  return `${ratio >= 1 ? '+' : '-'}${percent(ratio)} %`
}
