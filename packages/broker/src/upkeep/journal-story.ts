// What the journal tells of each task: whether it still lives, and under which token it was held last.

import { FACT_KINDS } from '../engine/fact.ts'
import { hexOf } from '../engine/held.ts'
import { ByteReader } from '../storage/byte-reader.ts'
import { decodeJournal, type JournalEntry } from '../storage/journal-record.ts'
import { familyRange, lsnOfJournalKey } from '../storage/key.ts'
import { isDamage } from '../storage/sealed.ts'
import type { CopyReader } from './copy-reader.ts'

export interface Story {
  readonly fate: 'lives' | 'ended' | 'purged'
  /** The token of its last lease; 0 if it was not leased within the journal. */
  readonly token: number
  /** It was held when the journal ended. */
  readonly isHeld: boolean
  /** The last commit that tells of it. */
  readonly lsn: number
}

const UNKNOWN: Omit<Story, 'lsn'> = { fate: 'lives', token: 0, isHeld: false }
const CODES = Object.fromEntries(Object.entries(FACT_KINDS).map(([kind, { code }]) => [code, kind]))

export class JournalStory {
  readonly #stories = new Map<string, Story>()
  /** Commits that are missing or damaged between the first and the last that can be read. */
  gapCount = 0
  lastLsn = 0
  /** From here to the last one every commit can be read. */
  wholeFromLsn = 0
  lastTickMs = 0
  lastWallMs = 0
  lastToken = 0

  /** Reads all of it. Takes some 200 bytes of memory for each task that it tells of. */
  static async read(reader: CopyReader): Promise<JournalStory> {
    const story = new JournalStory()
    for await (const [key, value] of reader.entries(familyRange('journal'))) {
      story.#add(lsnOfJournalKey(key), key, value)
    }
    return story
  }

  /** Undefined if the journal does not tell of it. */
  of(id: Uint8Array): Story | undefined {
    return this.#stories.get(hexOf(id))
  }

  #add(lsn: number, key: Uint8Array, value: Uint8Array): void {
    try {
      const { entries, tickMs, wallMs } = decodeJournal(key, value)
      if (lsn !== this.lastLsn + 1 || this.lastLsn === 0) {
        if (this.lastLsn !== 0) this.gapCount += lsn - this.lastLsn - 1
        this.wholeFromLsn = lsn
      }
      this.lastLsn = lsn
      this.lastTickMs = Math.max(this.lastTickMs, tickMs)
      this.lastWallMs = Math.max(this.lastWallMs, wallMs)
      for (const entry of entries) this.#hear(entry, lsn)
    } catch (error) {
      // As good as missing: the next one that can be read tells of the gap.
      if (!isDamage(error)) throw error
    }
  }

  #hear(entry: JournalEntry, lsn: number): void {
    const kind = CODES[entry.code]
    const hex = hexOf(entry.id)
    const before = this.#stories.get(hex) ?? UNKNOWN
    switch (kind) {
      case 'task-enqueued':
      case 'task-redriven':
      case 'task-released':
      case 'task-retried':
        this.#stories.set(hex, { ...before, fate: 'lives', isHeld: false, lsn })
        return
      case 'task-leased': {
        const reader = new ByteReader(entry.rest, 16)
        const token = reader.f64()
        this.lastToken = Math.max(this.lastToken, token)
        this.#stories.set(hex, { fate: 'lives', token, isHeld: true, lsn })
        return
      }
      case 'task-ended':
        this.#stories.set(hex, { ...before, fate: 'ended', isHeld: false, lsn })
        return
      case 'task-purged':
        this.#stories.set(hex, { ...before, fate: 'purged', isHeld: false, lsn })
        return
      default:
        return
    }
  }
}
