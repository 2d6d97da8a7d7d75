// Reads what is not in memory: ended tasks, payloads, history, dedupe keys, the journal's memory of ids.

import type { HistoryChapter } from '@tq/core'
import type { EnqueueFindings } from '../engine/command.ts'
import { FACT_KINDS, type EndedTask } from '../engine/fact.ts'
import { hexOf } from '../engine/held.ts'
import { parseProfile } from '../engine/profile.ts'
import type { EngineState } from '../engine/state.ts'
import { decodeDone } from './done-record.ts'
import { decodeChapter, keptHistoryKeys } from './history-record.ts'
import { decodeJournal } from './journal-record.ts'
import { dedupeKey, journalKey, taskKey } from './key.ts'
import { decodePayloadRecord, type PayloadRecord } from './payload-record.ts'
import { type Store, StoreError } from './port.ts'
import { decodeDedupe, type DedupeRecord } from './registry-record.ts'
import { isDamage } from './sealed.ts'
import { decodeWall, WALL_KEY, type WallStep } from './wall-record.ts'

/** Hears of a record that failed its checksum: it is never served. */
export type DamageListener = (what: string, key: Uint8Array) => void

export class Lookup {
  readonly #store: Store
  readonly #state: EngineState
  readonly #onDamage: DamageListener

  constructor(store: Store, state: EngineState, onDamage: DamageListener) {
    this.#store = store
    this.#state = state
    this.#onDamage = onDamage
  }

  /**
   * Ended tasks by the hex text of their ids; those that are not kept are left out. Results may have
   * a mebibyte each: who does not show them has them dropped as they are read.
   */
  async ended(
    ids: readonly Uint8Array[],
    results: 'with-results' | 'without-results' = 'with-results',
  ): Promise<Map<string, EndedTask>> {
    const found = new Map<string, EndedTask>()
    for (let from = 0; from < ids.length; from += ENDED_PAGE) {
      const page = ids.slice(from, from + ENDED_PAGE)
      const keys = page.map((id) => taskKey('done', id))
      const values = await this.#store.getMany(keys)
      for (const [index, id] of page.entries()) {
        const value = values[index]
        const key = keys[index]
        if (value === undefined || key === undefined) continue
        const ended = this.decodeEnded(key, value, id)
        if (ended === undefined) continue
        const isBare = results === 'without-results' && ended.end.result !== undefined
        found.set(
          hexOf(id),
          isBare ? { ...ended, end: { ...ended.end, result: undefined } } : ended,
        )
      }
    }
    return found
  }

  decodeEnded(key: Uint8Array, value: Uint8Array, id: Uint8Array): EndedTask | undefined {
    const profileOf = (text: string): ReturnType<typeof parseProfile> =>
      this.#state.profiles.find(text) ??
      parseProfile(text, (number) => this.#state.queuesByNumber.get(number))
    return this.#readable('done', key, () => decodeDone(key, value, { id, profileOf }))
  }

  /** Payload records in the order of the ids; undefined where there is none that can be read. */
  async payloads(ids: readonly Uint8Array[]): Promise<(PayloadRecord | undefined)[]> {
    const keys = ids.map((id) => taskKey('payload', id))
    const values = await this.#store.getMany(keys).catch(() => this.#oneByOne(keys))
    return keys.map((key, index) => {
      const value = values[index]
      if (value === undefined) return undefined
      return this.#readable('payload', key, () => decodePayloadRecord(key, value))
    })
  }

  /** The kept chapters of a task's history, oldest first. */
  async history(id: Uint8Array, count: number): Promise<HistoryChapter[]> {
    if (count === 0) return []
    const keys = keptHistoryKeys(id, count)
    const values = await this.#store.getMany(keys)
    const chapters: HistoryChapter[] = []
    for (const [index, key] of keys.entries()) {
      const value = values[index]
      if (value === undefined) continue
      const chapter = this.#readable('history', key, () => decodeChapter(key, value))
      if (chapter !== undefined) chapters.push(chapter)
    }
    return chapters
  }

  /**
   * Dedupe records by idempotency key. One that cannot be read fails the call: taken for absent, it
   * would let the same request make a second task. @throws {StoreError} CORRUPT
   */
  async dedupe(
    queue: { readonly slot: number; readonly number: number },
    names: readonly string[],
  ): Promise<Map<string, DedupeRecord>> {
    const keys = names.map((name) => dedupeKey(queue.slot, queue.number, name))
    const values = await this.#store.getMany(keys)
    const found = new Map<string, DedupeRecord>()
    for (const [index, name] of names.entries()) {
      const value = values[index]
      const key = keys[index]
      if (value === undefined || key === undefined) continue
      const record = this.#readable('dedupe', key, () => decodeDedupe(key, value))
      if (record === undefined) {
        throw new StoreError('CORRUPT', `the dedupe record of key "${name}" is damaged`)
      }
      found.set(name, record)
    }
    return found
  }

  /**
   * Asks the journal which of these ids were enqueued since `sinceTickMs`, although nothing else is
   * left of them. `untold` are all that were not found, if the journal does not reach back that far.
   */
  async journaled(
    ids: readonly Uint8Array[],
    range: {
      readonly sinceTickMs: number
      readonly fromLsn: number
      readonly toLsn: number
    },
  ): Promise<Pick<EnqueueFindings, 'journaled' | 'untold'>> {
    const wanted = new Set(ids.map(hexOf))
    const journaled = new Set<string>()
    // A journal that begins with the first commit reaches back as far as anything can.
    let reachesBack = range.fromLsn <= 1
    const keys = { from: journalKey(range.fromLsn), to: journalKey(range.toLsn + 1) }
    scan: for await (const page of this.#store.load({ ...keys, reverse: true }, JOURNAL_PAGE)) {
      for (const [key, value] of page) {
        const record = this.#readable('journal', key, () => decodeJournal(key, value))
        if (record === undefined) return { journaled, untold: wanted }
        for (const { code, id } of record.entries) {
          if (code !== ENQUEUED) continue
          const hex = hexOf(id)
          if (wanted.delete(hex)) journaled.add(hex)
        }
        // Its tick is that of its first fact; later ones may be younger than what is asked for.
        if (record.tickMs < range.sinceTickMs) {
          reachesBack = true
          break scan
        }
        if (wanted.size === 0) break scan
      }
    }
    return { journaled, untold: reachesBack ? new Set() : wanted }
  }

  /** The tick at which a journal record was written; undefined if it is damaged. */
  journalTickMs(key: Uint8Array, value: Uint8Array): number | undefined {
    return this.#readable('journal', key, () => decodeJournal(key, value).tickMs)
  }

  /** Where the wall clock stepped, oldest first; empty if nothing is kept of that or it is damaged. */
  async wallSteps(): Promise<readonly WallStep[]> {
    const [value] = await this.#store.getMany([WALL_KEY])
    if (value === undefined) return []
    return this.#readable('wall', WALL_KEY, () => decodeWall(value)) ?? []
  }

  /** One block that cannot be read fails all keys of a call: then each is asked for by itself. */
  async #oneByOne(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const values: (Uint8Array | undefined)[] = []
    for (const key of keys) {
      const [value] = await this.#store.getMany([key]).catch((error: unknown) => {
        if (!isUnreadable(error)) throw error
        this.#onDamage('block', key)
        return [undefined]
      })
      values.push(value)
    }
    return values
  }

  #readable<T>(what: string, key: Uint8Array, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#onDamage(what, key)
      return undefined
    }
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'CORRUPT'
}

/** Ended tasks that are read at a time: 32 MiB at most. */
const ENDED_PAGE = 32
const JOURNAL_PAGE = 100
const ENQUEUED = FACT_KINDS['task-enqueued'].code
