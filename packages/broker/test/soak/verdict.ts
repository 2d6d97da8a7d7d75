// What the samples of a soak say, measure by measure: does it grow?

import type { Sample } from './sample.ts'
import { BLOCK_HOURS, BLOCKS_MIN, type Trend, trendOf } from './trend.ts'

/** growing: a leak, with 95 % confidence. unclear: the noise would hide one that matters. */
type Finding = 'steady' | 'growing' | 'unclear'

export interface Verdict {
  readonly measure: string
  readonly unit: string
  readonly first: number
  readonly last: number
  readonly trend: Trend | undefined
  readonly perHourMax: number
  readonly finding: Finding
}

interface Measure {
  readonly name: string
  readonly unit: string
  /** Growth that is let pass, in the unit an hour: less cannot be told from chance, or is harmless. */
  readonly perHourMax: number
  readonly of: (sample: Sample) => number
}

const MIB = 2 ** 20
/** The share of a soak in which caches, tables and the store may still fill. */
const WARM_UP_SHARE = 0.2

/** Shorter soaks have no blocks of full length: their slopes are noise, times sixty. */
export const VERDICT_SECONDS_MIN: number = Math.round(
  (BLOCKS_MIN * BLOCK_HOURS * 3_600) / (1 - WARM_UP_SHARE),
)

/** What the soak as a whole has shown; `none` is no pass. */
export interface SoakVerdict {
  readonly kind: 'steady' | 'growing' | 'none'
  readonly text: string
}

const MEASURES: readonly Measure[] = [
  { name: 'heap used', unit: 'MiB', perHourMax: 1, of: (sample) => sample.heapUsed / MIB },
  { name: 'heap total', unit: 'MiB', perHourMax: 1, of: (sample) => sample.heapTotal / MIB },
  { name: 'external', unit: 'MiB', perHourMax: 1, of: (sample) => sample.external / MIB },
  { name: 'array buffers', unit: 'MiB', perHourMax: 1, of: (sample) => sample.arrayBuffers / MIB },
  { name: 'RSS', unit: 'MiB', perHourMax: 1, of: (sample) => sample.rssBytes / MIB },
  { name: 'PSS', unit: 'MiB', perHourMax: 1, of: (sample) => sample.pssBytes / MIB },
  { name: 'anonymous', unit: 'MiB', perHourMax: 1, of: (sample) => sample.anonymousBytes / MIB },
  { name: 'descriptors', unit: '', perHourMax: 1, of: (sample) => sample.descriptors },
  { name: 'threads', unit: '', perHourMax: 0.1, of: (sample) => sample.threads },
  { name: 'store files', unit: '', perHourMax: 1, of: (sample) => sample.storeFiles },
  { name: 'store bytes', unit: 'MiB', perHourMax: 4, of: (sample) => sample.storeBytes / MIB },
  { name: 'connections', unit: '', perHourMax: 1, of: (sample) => sample.connections },
  { name: 'parked claims', unit: '', perHourMax: 1, of: (sample) => sample.parkedClaims },
  { name: 'loop p99.9', unit: 'ms', perHourMax: 5, of: (sample) => sample.loopP999Ms },
]

export function verdictsOf(samples: readonly Sample[]): readonly Verdict[] {
  const settled = samples.slice(Math.floor(samples.length * WARM_UP_SHARE))
  return MEASURES.map(({ name, unit, perHourMax, of }) => {
    const points = settled.map((sample) => ({ at: sample.atSeconds / 3_600, value: of(sample) }))
    const trend = trendOf(points)
    return {
      measure: name,
      unit,
      first: points[0]?.value ?? Number.NaN,
      last: points.at(-1)?.value ?? Number.NaN,
      trend,
      perHourMax,
      finding: trend === undefined ? 'unclear' : findingOf(trend, perHourMax),
    }
  })
}

/** @param seconds How long the soak was. */
export function soakVerdict(seconds: number, verdicts: readonly Verdict[]): SoakVerdict {
  const named = (finding: Finding): string => {
    const found = verdicts.filter((verdict) => verdict.finding === finding)
    return found.map(({ measure }) => measure).join(', ')
  }
  if (seconds < VERDICT_SECONDS_MIN) {
    const needed = `at least ${VERDICT_SECONDS_MIN / 60} minutes (SECONDS=${VERDICT_SECONDS_MIN})`
    const text = `no verdict: ${Math.round(seconds)} s are too short for one, it needs ${needed}`
    return { kind: 'none', text }
  }
  if (named('growing') !== '') return { kind: 'growing', text: `growing: ${named('growing')}` }
  if (named('steady') === '') return { kind: 'none', text: 'no verdict: nothing is clear' }
  const unclear = named('unclear')
  const rest = unclear === '' ? '' : `; no verdict on ${unclear}: the noise is too great`
  return { kind: 'steady', text: `nothing grows${rest}` }
}

function findingOf({ perHour, low, high }: Trend, perHourMax: number): Finding {
  if (low > 0 && perHour > perHourMax) return 'growing'
  // Even the steepest line that fits is flat enough, or one that falls.
  if (high <= perHourMax) return 'steady'
  // An interval around 0 that is so wide says nothing; a slope that is small says enough.
  return perHour <= perHourMax ? 'steady' : 'unclear'
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ measure, unit, first, last, trend, perHourMax, finding }) => [
    unit === '' ? measure : `${measure}, ${unit}`,
    number(first),
    number(last),
    number(trend?.mean),
    signed(trend?.perHour),
    `${signed(trend?.low)} to ${signed(trend?.high)}`,
    number(perHourMax),
    finding,
  ])
  return table([
    ['measure', 'first', 'last', 'mean', 'an hour', '95 % interval', 'allowed', 'finding'],
    ...rows,
  ])
}

function number(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '-' : value.toFixed(2)
}

function signed(value: number | undefined): string {
  return value === undefined ? '-' : `${value >= 0 ? '+' : ''}${value.toFixed(2)}`
}

function table(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]): string => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0
      return column === 0 ? cell.padEnd(width) : cell.padStart(width)
    })
    return cells.join('  ')
  }
  return rows.map(line).join('\n')
}
