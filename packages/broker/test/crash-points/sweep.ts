// Visits many points, several at a time, each on a data directory that has seen a few before it.

import { SeededRandom } from '../simulation/seeded-random.ts'
import { CrashSite } from './crash-site.ts'
import type { PointResult } from './kill-point.ts'
import { type Arm, choosePoints, measure } from './point-plan.ts'
import { type Injection, nameOf } from './straced-broker.ts'

export interface SweepOptions {
  readonly arms: readonly Arm[]
  readonly visit: (site: CrashSite, point: Injection, seed: number) => Promise<PointResult>
  readonly seed: number
  /** Points that are to fire: a broker that ends before its call comes has shown nothing. */
  readonly count: number
  /** Points to visit at most; half as many again as are to fire, and some, if left out. */
  readonly triesMax?: number
  /** Points that are visited at the same time. */
  readonly jobs: number
  readonly onPoint?: (point: Injection, result: PointResult) => void
}

/** Of one kind of call. */
export interface Tally {
  fired: number
  /** Of these, how many came through. */
  recovered: number
  /** Of these, while clients were served. */
  serving: number
  /** Those that did not come to that call. */
  missed: number
  refused: number
}

export interface SweepReport {
  readonly tries: number
  readonly fired: number
  /** Points that there are but for the bound on tries. */
  readonly hasMore: boolean
  readonly tallies: ReadonlyMap<string, Tally>
  readonly violations: readonly string[]
}

/** A directory is left after so many deaths: start-up is visited on old ones and on new ones. */
const VISITS_MAX = 6
/** Of the points that are visited nine in ten fire: a sweep that needs many more has a defect. */
const TRIES_PER_POINT = 1.5
const SPARE_TRIES = 20

export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const { arms, seed, count, jobs } = options
  const random = new SeededRandom(seed, 'points')
  const first = await CrashSite.make()
  const counts = await measure(arms, first, seed)
  await first.remove()
  const triesMax = options.triesMax ?? Math.ceil(count * TRIES_PER_POINT) + SPARE_TRIES
  const points = choosePoints(counts, { wanted: count, spare: triesMax - count }, random)
  const tallies = new Map<string, Tally>()
  const violations: string[] = []
  const queue = points.entries()
  let tries = 0
  let fired = 0
  let underWay = 0
  /** What is under way fires most likely: more is begun only if that would still be too few. */
  const isDone = (): boolean => fired + underWay >= count
  const work = async (): Promise<void> => {
    let site = await CrashSite.make()
    let visits = 0
    while (!isDone()) {
      const next = queue.next()
      if (next.done === true) break
      const [index, point] = next.value
      underWay += 1
      const result = await options.visit(site, point, seed + index)
      underWay -= 1
      tries += 1
      if (result.hasFired) fired += 1
      note(tallies, point, result)
      options.onPoint?.(point, result)
      violations.push(...result.violations.map((text) => `${nameOf(point)}: ${text}`))
      visits += 1
      const isSpoilt = result.violations.length > 0 || result.refusal !== undefined
      if (visits < VISITS_MAX && !isSpoilt) continue
      await site.remove()
      site = await CrashSite.make()
      visits = 0
    }
    await site.remove()
  }
  await Promise.all(Array.from({ length: jobs }, work))
  const pointCount = [...counts.values()].reduce((sum, each) => sum + each, 0)
  return { tries, fired, hasMore: pointCount > points.length, tallies, violations }
}

/** A line for each kind of call, and one for all of them. */
export function tallyText({ tallies, violations }: SweepReport): string {
  const all = { fired: 0, recovered: 0, serving: 0, missed: 0, refused: 0 }
  for (const tally of tallies.values()) {
    for (const name of Object.keys(all) as (keyof Tally)[]) all[name] += tally[name]
  }
  const lines = [...tallies].map(([name, tally]) => `${name}: ${figures(tally)}`)
  return [...lines.toSorted(), `in all: ${figures(all)}, violations ${violations.length}`].join(
    '\n',
  )
}

/** How many of those that were asked for have fired, and why not all of them. */
export function shortfallText({ tries, fired, hasMore }: SweepReport, wanted: number): string {
  const text = `${fired} of ${wanted} points fired in ${tries} tries`
  if (fired >= wanted) return text
  return hasMore ? `${text}: too few fire` : `${text}: there are no more points`
}

function figures({ fired, recovered, serving, missed, refused }: Tally): string {
  const some = `fired ${fired}, recovered ${recovered}, while serving ${serving}`
  return `${some}, refused ${refused}, did not come ${missed}`
}

function note(tallies: Map<string, Tally>, point: Injection, result: PointResult): void {
  const name = `${point.call} ${point.effect}${point.filesOnly ? '' : ' (anywhere)'}`
  const tally = tallies.get(name) ?? { fired: 0, recovered: 0, serving: 0, missed: 0, refused: 0 }
  tallies.set(name, tally)
  if (!result.hasFired) {
    tally.missed += 1
    return
  }
  tally.fired += 1
  if (result.violations.length === 0 && result.refusal === undefined) tally.recovered += 1
  if (result.wasListening) tally.serving += 1
  if (result.refusal !== undefined) tally.refused += 1
}
