// Damages copies of one store, one sector each, and judges what a broker makes of every one of them.

import { cp, rm } from 'node:fs/promises'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { Workshop } from './child.ts'
import { allDamages, type Damage, damage, nameOf } from './damage.ts'
import { GENERATIONS } from './load.ts'
import { buildStore, type UndamagedStore } from './undamaged-store.ts'
import { falsehoods, judge, type Truth, type Verdict } from './verdict.ts'

export interface CampaignOptions {
  readonly seed: number
  /** How many damages, chosen by the seed; Infinity for all. */
  readonly count: number
  /** How many brokers at a time. */
  readonly jobs: number
  /** Only damages whose name has this in it, such as `MANIFEST` or `zero:`. */
  readonly only?: string
  readonly onVerdict?: (name: string, verdict: Verdict, doneCount: number) => void
}

export interface CampaignResult {
  /** Damages there are, and those that changed a byte. */
  readonly possible: number
  readonly done: number
  readonly counts: Readonly<Record<Verdict['kind'], number>>
  readonly refusals: Readonly<Record<string, number>>
  readonly tailCommitsMax: number
  /** Commits that no mark told of when the store was killed. */
  readonly unmarkedCommits: number
  readonly violations: readonly string[]
}

export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const workshop = await Workshop.open()
  try {
    const store = await buildStore(workshop)
    const truth = await readTruth(workshop, store)
    const all = await allDamages(store.dataDir)
    const wanted = all.filter((one) => nameOf(one).includes(options.only ?? ''))
    const tally = new Tally(all.length, truth)
    const waiting = sample(wanted, options)
    const job = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const verdict = await tryOne(workshop, { store, truth, next, seed: options.seed })
        if (verdict === undefined) continue
        tally.add(nameOf(next), verdict)
        options.onVerdict?.(nameOf(next), verdict, tally.doneCount)
      }
    }
    await Promise.all(Array.from({ length: options.jobs }, job))
    return tally.result()
  } finally {
    await workshop.close()
  }
}

/** What an undamaged copy says; it must be what was acknowledged. */
async function readTruth(workshop: Workshop, store: UndamagedStore): Promise<Truth> {
  const dataDir = workshop.newPath('copy')
  await cp(store.dataDir, dataDir, { recursive: true })
  const ended = await workshop.read(dataDir, store.ledgerPath, GENERATIONS + 1)
  const last = ended.reports.at(-1)
  if (last?.kind !== 'read') throw new Error(`the store cannot be read: ${JSON.stringify(ended)}`)
  const { promised, markedLsn } = store
  const wrong = falsehoods(last.reading, promised)
  if (wrong.length > 0) throw new Error(`an undamaged store is wrong: ${wrong.join('\n')}`)
  return { reading: last.reading, lsn: last.lsn, promised, markedLsn }
}

async function tryOne(
  workshop: Workshop,
  trial: {
    readonly store: UndamagedStore
    readonly truth: Truth
    readonly next: Damage
    readonly seed: number
  },
): Promise<Verdict | undefined> {
  const dataDir = workshop.newPath('copy')
  try {
    await cp(trial.store.dataDir, dataDir, { recursive: true })
    if (!(await damage(dataDir, trial.next, trial.seed))) return undefined
    const ended = await workshop.read(dataDir, trial.store.ledgerPath, GENERATIONS + 1)
    return judge(ended, trial.truth)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** So many of them, evenly spread over files and kinds: those of one stand beside each other. */
function sample(damages: readonly Damage[], { seed, count }: CampaignOptions): Damage[] {
  if (count >= damages.length) return [...damages]
  const random = new SeededRandom(seed, 'sample')
  const stride = damages.length / count
  return Array.from(
    { length: count },
    (_, index) => damages[Math.floor((index + random.chance()) * stride)] as Damage,
  )
}

class Tally {
  readonly #possible: number
  readonly #truth: Truth
  readonly #counts: Record<Verdict['kind'], number> = {
    right: 0,
    reported: 0,
    'start-refused': 0,
    'start-aborted': 0,
    tail: 0,
    violation: 0,
  }
  readonly #refusals: Record<string, number> = {}
  readonly #violations: string[] = []
  #tailCommitsMax = 0
  doneCount = 0

  constructor(possible: number, truth: Truth) {
    this.#possible = possible
    this.#truth = truth
  }

  add(name: string, verdict: Verdict): void {
    this.doneCount += 1
    this.#counts[verdict.kind] += 1
    if (verdict.kind === 'start-refused') {
      this.#refusals[verdict.code] = (this.#refusals[verdict.code] ?? 0) + 1
    }
    if (verdict.kind === 'tail') {
      this.#tailCommitsMax = Math.max(this.#tailCommitsMax, verdict.commits)
    }
    if (verdict.kind === 'violation') {
      this.#violations.push(`${name}\n    ${verdict.what.slice(0, 5).join('\n    ')}`)
    }
  }

  result(): CampaignResult {
    return {
      possible: this.#possible,
      done: this.doneCount,
      counts: this.#counts,
      refusals: this.#refusals,
      tailCommitsMax: this.#tailCommitsMax,
      unmarkedCommits: this.#truth.lsn - this.#truth.markedLsn,
      violations: this.#violations,
    }
  }
}
