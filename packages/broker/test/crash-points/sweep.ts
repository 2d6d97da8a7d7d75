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
  /** Points to visit; all there are, if that is fewer. */
  readonly count: number
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
  readonly tallies: ReadonlyMap<string, Tally>
  readonly violations: readonly string[]
}

/** A directory is left after so many deaths: start-up is visited on old ones and on new ones. */
const VISITS_MAX = 6

export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const { arms, seed, count, jobs } = options
  const random = new SeededRandom(seed, 'points')
  const first = await CrashSite.make()
  const points = choosePoints(await measure(arms, first, seed), count, random)
  await first.remove()
  const tallies = new Map<string, Tally>()
  const violations: string[] = []
  const queue = points.entries()
  const work = async (): Promise<void> => {
    let site = await CrashSite.make()
    let visits = 0
    for (const [index, point] of queue) {
      const result = await options.visit(site, point, seed + index)
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
  return { tallies, violations }
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
