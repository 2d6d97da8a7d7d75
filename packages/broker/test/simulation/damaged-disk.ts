// What a failing disk may hold when a broker is started on it: a hole, a lost or torn tail, a bad bit.

import {
  ENGINE_KEY,
  FAMILIES,
  type Family,
  familyRange,
  journalKey,
} from '../../src/storage/key.ts'
import type { MemoryImage, PreparedCommit } from '../../src/storage/memory-image.ts'
import type { Batch, Entry, Ownership } from '../../src/storage/port.ts'
import { decodeEngine } from '../../src/storage/registry-record.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SometimesPoint } from './sometimes.ts'

export interface Damaged {
  readonly image: MemoryImage
  readonly what: string
  /** The point that is reached when a start on it is refused. */
  readonly point: SometimesPoint
}

interface Recent {
  readonly ownership: Ownership
  /** The disk as it was before this commit. */
  readonly before: MemoryImage
  readonly commit: PreparedCommit
}

/** Commits of which one may be found missing. */
const RECENT_MAX = 12
/** Families that a start reads whole: nothing is served beside a bad record of these. */
const LIVE_FAMILIES: readonly Family[] = ['task', 'queue', 'session']

export class DamagedDisk {
  readonly #image: MemoryImage
  #recent: Recent[] = []

  constructor(image: MemoryImage) {
    this.#image = image
  }

  /** Commits of another ownership do not follow those from before. */
  opened(): void {
    this.#recent = []
  }

  /** What a commit would have to be undone; its bytes are copied. */
  noted(ownership: Ownership, lsn: number, epoch: number, batch: Batch): Recent {
    const puts = batch.putKeys.map((key, index): Entry => [
      new Uint8Array(key),
      new Uint8Array(batch.putValues[index] ?? key),
    ])
    const deleteKeys = batch.deleteKeys.map((key) => new Uint8Array(key))
    const commit = { lsn, epoch, puts, deleteKeys }
    return { ownership, before: this.#image.fork(), commit }
  }

  landed(recent: Recent): void {
    this.#recent.push(recent)
    if (this.#recent.length > RECENT_MAX) this.#recent.shift()
  }

  /** A damaged copy of the disk; undefined if there is too little on it. */
  damage(random: SeededRandom): Damaged | undefined {
    const last = this.#recent.at(-1)
    if (last === undefined) return undefined
    const dice = random.chance()
    if (dice < 0.3) return this.#withHole(random)
    if (dice < 0.5) return withLostTail(random.pick(this.#recent), last.commit.lsn)
    if (dice < 0.7) return this.#withTornTail(random)
    return this.#withBadRecord(random)
  }

  /** One commit is missing, and all that followed it are there. */
  #withHole(random: SeededRandom): Damaged | undefined {
    const missing = random.pick(this.#recent)
    const later = this.#recent.filter(({ commit }) => commit.lsn > missing.commit.lsn)
    const { lsn } = missing.commit
    if (later.length === 0) return undefined
    const image = missing.before.fork()
    for (const { ownership, commit } of later) image.apply(ownership, commit)
    const engine = image.get(ENGINE_KEY)
    // What the journal does not reach back to cannot be missed.
    if (engine === undefined || decodeEngine(ENGINE_KEY, engine).journalFromLsn > lsn)
      return undefined
    const what = `a disk without commit ${lsn}`
    return { image, what, point: 'a start was refused because of a hole' }
  }

  /** The newest journal record is not what was written. */
  #withTornTail(random: SeededRandom): Damaged | undefined {
    const lsn = this.#recent.at(-1)?.commit.lsn ?? 0
    const image = this.#image.fork()
    flipBit(image, journalKey(lsn), random)
    return {
      image,
      what: `a disk whose commit ${lsn} is torn`,
      point: 'a start was refused because of a torn tail',
    }
  }

  #withBadRecord(random: SeededRandom): Damaged | undefined {
    const family = random.pick(LIVE_FAMILIES)
    const entries = [...this.#image.peekEntries(familyRange(family))]
    const [key] = entries.length > 0 ? random.pick(entries) : [ENGINE_KEY]
    const image = this.#image.fork()
    if (image.peek(key) === undefined) return undefined
    flipBit(image, key, random)
    const name = key === ENGINE_KEY ? 'engine' : family
    const what = `a disk with a damaged ${name} record (family ${FAMILIES[family]})`
    return { image, what, point: 'a start was refused because of a damaged record' }
  }
}

/** All is as it was before a commit that had been acknowledged; the mark beside it remembers. */
function withLostTail({ before, commit }: Recent, lastLsn: number): Damaged {
  const image = before.fork()
  image.mark(lastLsn)
  const what = `a disk that ends before commit ${commit.lsn} of ${lastLsn}`
  return { image, what, point: 'a start was refused because of a lost tail' }
}

function flipBit(image: MemoryImage, key: Uint8Array, random: SeededRandom): void {
  const value = image.get(key)
  if (value === undefined) return
  const bit = random.between(0, value.length * 8 - 1)
  value[bit >>> 3] = (value[bit >>> 3] as number) ^ (1 << (bit & 7))
  image.tamper(key, value)
}
