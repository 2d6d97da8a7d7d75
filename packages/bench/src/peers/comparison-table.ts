// The result for people: of each phase and figure the median of every peer, and what tq makes of it.

import type { PhaseName } from './phase-name.ts'
import { type FigureName, FIGURES, type Sample } from './sample.ts'

/** One cell: a peer's median of a figure over all rounds. */
export interface Summary {
  readonly peer: string
  readonly phase: PhaseName
  readonly figure: FigureName
  readonly median: number
  readonly least: number
  readonly most: number
  readonly rounds: number
  /** tq's median divided by this peer's; undefined for tq, or if tq did not take part. */
  readonly ratio: number | undefined
}

const REFERENCE = 'tq'

export function summarise(samples: readonly Sample[]): readonly Summary[] {
  return distinct(samples.map((sample) => sample.phase)).flatMap((phase) => {
    const ofPhase = samples.filter((sample) => sample.phase === phase)
    const peers = distinct(ofPhase.map((sample) => sample.peer))
    const names = Object.keys(FIGURES) as FigureName[]
    return names.flatMap((figure) => {
      const valuesOf = (peer: string): readonly number[] => {
        return ofPhase.flatMap((sample) => {
          return sample.peer === peer ? (sample.figures[figure] ?? []) : []
        })
      }
      const reference = medianOf(valuesOf(REFERENCE))
      return peers.flatMap((peer) => {
        const values = valuesOf(peer)
        const median = medianOf(values)
        if (median === undefined) return []
        const least = Math.min(...values)
        const most = Math.max(...values)
        const ratio = peer === REFERENCE || reference === undefined ? undefined : reference / median
        return [{ peer, phase, figure, median, least, most, rounds: values.length, ratio }]
      })
    })
  })
}

/** The middle one, or the mean of the two in the middle. */
export function medianOf(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2
}

/** A table of Markdown for each phase; rows in the order in which the peers ran. */
export function comparisonTables(samples: readonly Sample[]): string {
  const summaries = summarise(samples)
  const phases = distinct(summaries.map((summary) => summary.phase))
  return phases
    .map((phase) => {
      const ofPhase = summaries.filter((summary) => summary.phase === phase)
      const figures = distinct(ofPhase.map((summary) => summary.figure))
      const peers = distinct(ofPhase.map((summary) => summary.peer))
      const head = ['peer', ...figures.flatMap((figure) => [FIGURES[figure], 'tq/peer'])]
      const rows = peers.map((peer) => {
        const cells = figures.flatMap((figure) => {
          return cellsOf(ofPhase.find((one) => one.peer === peer && one.figure === figure))
        })
        const runs = samples.filter((sample) => sample.phase === phase && sample.peer === peer)
        return [peer, ...cells, noteOf(runs)]
      })
      const lines = [[...head, 'other CPU, % of a core'], head.map(() => '---').concat('---')]
      const table = [...lines, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
      return `${phase}\n\n${table}\n`
    })
    .join('\n')
}

function cellsOf(summary: Summary | undefined): readonly string[] {
  if (summary === undefined) return ['–', '–']
  const { median, least, most, ratio } = summary
  const value = `${rounded(median)} (${rounded(least)} to ${rounded(most)})`
  return [value, ratio === undefined ? '–' : ratio.toFixed(2)]
}

/** What the rest of the machine did, at least and at most, and how many runs it disturbed. */
function noteOf(runs: readonly Sample[]): string {
  const others = runs.map((run) => run.otherPercent)
  const disturbed = runs.filter((run) => run.isDisturbed).length
  const repeated = runs.filter((run) => run.isRepeated).length
  const notes = [
    ...(repeated === 0 ? [] : [`${repeated} repeated`]),
    ...(disturbed === 0 ? [] : [`${disturbed} of ${runs.length} DISTURBED`]),
  ]
  return [`${Math.min(...others)} to ${Math.max(...others)}`, ...notes].join(', ')
}

function rounded(value: number): string {
  return value >= 1_000 ? value.toFixed(0) : value >= 100 ? value.toFixed(1) : value.toFixed(2)
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)]
}
