// What the passes of a check share: the store under them, what they have learnt, what they found.

import { parseProfile, type Profile } from '../engine/profile.ts'
import type { Queue } from '../engine/queue.ts'
import type { Head } from '../storage/head-record.ts'
import { FAMILIES, type Family, familyRange } from '../storage/key.ts'
import type { Entry } from '../storage/port.ts'
import type { EngineRecord } from '../storage/registry-record.ts'
import { isDamage } from '../storage/sealed.ts'
import type { CopyReader } from './copy-reader.ts'
import type { FindingList } from './finding.ts'

/** What a broker does about a damaged record that it tolerates, by the byte of its family. */
const ADVICE_ON_DAMAGED: ReadonlyMap<number, string> = new Map([
  [
    FAMILIES.payload,
    'restore a backup to have it back; else a waiting task becomes dead when it is claimed (unreadable_payload)',
  ],
  [FAMILIES.done, 'restore a backup to have it back; else the ended task counts as not kept'],
  [FAMILIES.history, 'nothing has to be done: the history is shown without it'],
  [
    FAMILIES.dedupe,
    'nothing has to be done: enqueues with this key are refused (UNAVAILABLE) until its window has ended',
  ],
])

export interface SurveyParts {
  readonly reader: CopyReader
  readonly findings: FindingList
  /** Told how far a pass has come. */
  readonly onProgress: (family: string, records: number) => void
}

export class Survey {
  readonly reader: CopyReader
  readonly findings: FindingList
  readonly #onProgress: SurveyParts['onProgress']
  readonly #profiles = new Map<string, Profile | undefined>()
  readonly #counts = new Map<string, number>()
  head: Head | undefined
  engine: EngineRecord | undefined
  readonly queues = new Map<number, Queue>()
  /** Ids of the sessions in hex. */
  readonly sessions = new Set<string>()
  /** The age of the oldest idempotency key that is remembered: younger ones must be, too. */
  oldestKeyMs: number | undefined
  /** The wall clock was set back once: what is younger need not have been written later. */
  wallWentBack = false

  constructor(parts: SurveyParts) {
    this.reader = parts.reader
    this.findings = parts.findings
    this.#onProgress = parts.onProgress
  }

  /** Records of each family. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  /** Pages of a family, counted. */
  async *pages(family: Family): AsyncGenerator<readonly Entry[]> {
    let count = 0
    this.#onProgress(family, 0)
    for await (const page of this.reader.pages(familyRange(family))) {
      yield page
      count += page.length
      this.#counts.set(family, count)
      this.#onProgress(family, count)
    }
    this.#counts.set(family, count)
  }

  /** What `read` gives; undefined, and a finding, if the record is damaged. */
  read<T>(what: string | (() => string), key: Uint8Array, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!isDamage(error)) throw error
      const name = typeof what === 'string' ? what : what()
      const advice = ADVICE_ON_DAMAGED.get(key[0] ?? 0)
      this.findings.add('damaged', `${name} cannot be read: ${error.message}`, key, advice)
      return undefined
    }
  }

  /** The profile of a text; undefined if it names a queue that does not exist. */
  profileOf(text: string): Profile | undefined {
    if (this.#profiles.has(text)) return this.#profiles.get(text)
    const profile = parseProfile(text, (number) => this.queues.get(number))
    this.#profiles.set(text, profile)
    return profile
  }
}
