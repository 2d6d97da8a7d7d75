// Which records of a damaged store go into a new one, and what is said of those that do not.

import { limits, TASK_STATES, wallMsOfTaskId } from '@tq/core'
import type { EndedTask } from '../engine/fact.ts'
import { hexOf } from '../engine/held.ts'
import { BARE_VALUE } from '../storage/bare-value.ts'
import { keptHistoryKeys } from '../storage/history-record.ts'
import { emptyJournal } from '../storage/journal-record.ts'
import {
  dedupeByAgeKey,
  dedupeKey,
  ENGINE_KEY,
  familyRange,
  journalKey,
  parseDedupeByAgeKey,
  taskIdOfKey,
  taskKey,
} from '../storage/key.ts'
import { decodePayloadRecord, type PayloadRecord } from '../storage/payload-record.ts'
import type { Entry } from '../storage/port.ts'
import { decodeDedupe, encodeEngine, type EngineRecord } from '../storage/registry-record.ts'
import { isDamage, isSealed } from '../storage/sealed.ts'
import { WALL_KEY } from '../storage/wall-record.ts'
import type { TaskCore } from '../storage/task-record.ts'
import { byEndKeyOf } from './check-tasks.ts'
import { patchCore } from './core-patch.ts'
import type { EndedOnce } from './ended-once.ts'
import type { JournalStory } from './journal-story.ts'
import type { NewStore } from './new-store.ts'
import { QueueSalvage } from './queue-salvage.ts'
import type { Survey } from './survey.ts'
import { type LiveTask, nameOfTask, readAnyCore, readEnded, readLive } from './task-reading.ts'

/** What a person does about what is lost: never to run again what has run. */
const ADVICE = {
  live: 'look for it in a backup, or where it came from; if it has not run, enqueue it again',
  ended:
    'it had ended: do not enqueue it again. If its payload or result is needed, look in a backup',
  history: 'nothing: the task itself is kept',
  key: 'do not let its producer send the request again, or see that its task is not there first',
  journal:
    'nothing, unless a producer still waits for an answer: sent again, it is answered OUTCOME_UNKNOWN',
} as const

/** A task that is kept, with what belongs to it. */
interface Kept {
  readonly entry: Entry
  readonly id: Uint8Array
  readonly core: Pick<TaskCore, 'chapters' | 'keyed' | 'createdAtMs'>
  readonly queue: { readonly slot: number; readonly number: number }
  readonly payload: PayloadEntry
}

interface PayloadEntry {
  readonly entry: Entry
  readonly record: PayloadRecord
}

/** Where a salvage learns which tasks still live. */
export interface SalvageSources {
  readonly story: JournalStory
  readonly endedOnce: EndedOnce
}

export class Salvage {
  readonly #survey: Survey
  readonly #story: JournalStory
  readonly #endedOnce: EndedOnce
  readonly #store: NewStore
  readonly #queues: QueueSalvage
  readonly #kept: Record<string, number> = {}
  /** Ids in hex of all tasks of which there is a record, whatever came of it. */
  readonly #seen = new Set<string>()
  /** Ids of live tasks in hex. */
  readonly #live = new Set<string>()
  #lastSequence = 0
  #lastToken = 0

  constructor(survey: Survey, told: SalvageSources, store: NewStore) {
    this.#survey = survey
    this.#story = told.story
    this.#endedOnce = told.endedOnce
    this.#store = store
    this.#queues = new QueueSalvage(survey)
  }

  get kept(): Readonly<Record<string, number>> {
    return this.#kept
  }

  /** The greatest token that was seen anywhere. */
  get lastToken(): number {
    return Math.max(this.#lastToken, this.#story.lastToken, this.#survey.engine?.lastToken ?? 0)
  }

  async run(): Promise<void> {
    // First, so that tasks know whether they can still be found by their keys.
    await this.#keys()
    await this.#wall()
    for await (const page of this.#survey.pages('task')) await this.#liveTasks(page)
    await this.#endedOnce.lookAtEnds(this.#live)
    this.#endedOnce.tellPossible()
    for await (const page of this.#survey.pages('done')) await this.#endedTasks(page)
    for await (const page of this.#survey.pages('payload')) this.#orphans(page)
    for (const [key, value] of await this.#queues.records()) await this.#put('queue', key, value)
    for await (const [key, value] of this.#survey.reader.entries(familyRange('session'))) {
      if (isSealed(key, value)) await this.#put('session', key, value)
    }
  }

  async #wall(): Promise<void> {
    const [value] = await this.#survey.reader.getMany([WALL_KEY])
    if (value !== undefined && isSealed(WALL_KEY, value)) await this.#put('meta', WALL_KEY, value)
  }

  /** The journal, as far as it is whole up to `lsn`, and the counters. */
  async writeEnd(lsn: number): Promise<void> {
    const { engine, reader } = this.#survey
    const story = this.#story
    const isWhole = story.lastLsn === lsn - 1 && story.lastLsn > 0
    const journalFromLsn = isWhole ? story.wholeFromLsn : lsn
    if (isWhole) {
      const range = { from: journalKey(journalFromLsn), to: journalKey(lsn) }
      for await (const [key, value] of reader.entries(range)) await this.#put('journal', key, value)
    } else {
      const text = 'the journal is begun anew: which ids were enqueued before is not remembered'
      this.#survey.findings.add('lost', text, undefined, ADVICE.journal)
    }
    const wallMs = Math.max(story.lastWallMs, engine?.wallMs ?? 0)
    const tickMs = Math.max(story.lastTickMs, engine?.tickMs ?? 0)
    const key = journalKey(lsn)
    await this.#put('journal', key, emptyJournal(key, { wallMs, tickMs }))
    const record: EngineRecord = {
      tickMs,
      wallMs,
      lastToken: this.lastToken,
      nextSequence: Math.max(this.#lastSequence + 1, engine?.nextSequence ?? 1),
      nextQueueNumber: Math.max(this.#queues.lastNumber + 1, engine?.nextQueueNumber ?? 1),
      verifyFromLsn: journalFromLsn,
      journalFromLsn,
    }
    await this.#put('meta', ENGINE_KEY, encodeEngine(ENGINE_KEY, record))
  }

  async #keys(): Promise<void> {
    const ages = new Map<string, number>()
    const { reader, findings } = this.#survey
    for await (const [key] of reader.entries(familyRange('dedupeByAge'))) {
      const { atMs, dedupe } = parseDedupeByAgeKey(key)
      this.#survey.oldestKeyMs ??= atMs
      ages.set(hexOf(dedupe), atMs)
    }
    for await (const page of this.#survey.pages('dedupe')) {
      for (const [key, value] of page) {
        try {
          const atMs = ages.get(hexOf(key))
          ages.delete(hexOf(key))
          const { id } = decodeDedupe(key, value)
          await this.#put('dedupe', key, value)
          await this.#put(
            'dedupeByAge',
            dedupeByAgeKey(atMs ?? wallMsOfTaskId(id), key),
            BARE_VALUE,
          )
        } catch (error) {
          if (!isDamage(error)) throw error
          const text = 'an idempotency key is damaged: its request may make a second task'
          findings.add('lost', text, key, ADVICE.key)
        }
      }
    }
    for (const hex of ages.keys()) {
      const text =
        'an idempotency key is gone, and its age is left: its request may make a second task'
      findings.add('lost', text, Buffer.from(hex, 'hex'), ADVICE.key)
    }
  }

  async #liveTasks(page: readonly Entry[]): Promise<void> {
    const ids = this.#idsOf(page)
    const payloads = await this.#payloads(ids)
    const done = await this.#survey.reader.getMany(ids.map((id) => taskKey('done', id)))
    for (const [index, entry] of page.entries()) {
      const [key] = entry
      const read = (): LiveTask => readLive(entry, this.#queues.profileOf(key))
      const task = this.#readOrTell(key, read, ADVICE.live)
      if (task === undefined || this.#isDead(key, task, done[index])) continue
      const payload = payloads[index]
      if (payload === undefined) {
        const { type, queue } = task.profile
        this.#tellLost(key, `${type} in queue "${queue.name}": its payload`, ADVICE.live)
        continue
      }
      this.#live.add(hexOf(task.id))
      this.#endedOnce.keep(task.id, done[index])
      this.#note(task.core.sequence, task.lease?.token ?? 0)
      const { queue } = task.profile
      const released = this.#mustRelease(key, task)
      await this.#keep('task', { entry, id: task.id, core: task.core, queue, payload }, released)
    }
  }

  #idsOf(page: readonly Entry[]): readonly Uint8Array[] {
    const ids = page.map(([key]) => taskIdOfKey(key))
    for (const id of ids) this.#seen.add(hexOf(id))
    return ids
  }

  /** True if the task is known to have ended or gone: its record came back from the dead. */
  #isDead(key: Uint8Array, task: LiveTask, done: Uint8Array | undefined): boolean {
    const { findings } = this.#survey
    const story = this.#story.of(task.id)
    if (story !== undefined && story.fate !== 'lives') {
      findings.add('resurrected', `${nameOfTask(key)} has ${story.fate}, says the journal`, key)
      return true
    }
    if (done === undefined || story !== undefined) return false
    const ended = generationOf(taskKey('done', task.id), done)
    if (ended === undefined || ended < task.core.generation) return false
    findings.add('resurrected', `${nameOfTask(key)} has ended, says its own record of that`, key)
    return true
  }

  /** True if the lease of a held task cannot be trusted; then it is queued, as it was before. */
  #mustRelease(key: Uint8Array, { core, lease, id }: LiveTask): boolean {
    const { findings, sessions } = this.#survey
    const story = this.#story.of(id)
    const name = nameOfTask(key)
    if (story !== undefined && TASK_STATES[core.state].held !== story.isHeld) {
      const text = `${name} is ${core.state}, and ${story.isHeld ? 'was held' : 'was not held'} at the end, says the journal`
      findings.add('doubtful', text, key)
    }
    if (lease === undefined) return false
    const isStale = story !== undefined && (!story.isHeld || story.token > lease.token)
    const isUnknown = !sessions.has(hexOf(lease.session))
    if (isUnknown) findings.add('doubtful', `${name} was held by a session that is lost`, key)
    else if (isStale) findings.add('doubtful', `${name} has a lease that had ended`, key)
    return isStale || isUnknown
  }

  async #endedTasks(page: readonly Entry[]): Promise<void> {
    const payloads = await this.#payloads(this.#idsOf(page))
    for (const [index, entry] of page.entries()) {
      const [key] = entry
      if (this.#live.has(hexOf(taskIdOfKey(key)))) {
        const text = `the end of ${nameOfTask(key)} was taken back by a redrive`
        this.#survey.findings.add('resurrected', text, key)
        continue
      }
      const read = (): EndedTask => readEnded(entry, this.#queues.profileOf(key))
      const task = this.#readOrTell(key, read, ADVICE.ended)
      if (task === undefined) continue
      const payload = payloads[index]
      if (payload === undefined) {
        const text = `${task.end.state}: its payload, and with it the record of its end`
        this.#tellLost(key, text, ADVICE.ended)
        continue
      }
      this.#note(task.sequence, task.end.attempt?.token ?? 0)
      const { queue } = task.profile
      await this.#keep('done', { entry, id: task.id, core: task, queue, payload }, false)
      await this.#put('doneByEnd', byEndKeyOf(task), BARE_VALUE)
    }
  }

  /** Payloads whose task has no record any more, and is not known to be gone: it is lost. */
  #orphans(page: readonly Entry[]): void {
    for (const [key] of page) {
      const id = taskIdOfKey(key)
      const fate = this.#story.of(id)?.fate
      if (this.#seen.has(hexOf(id)) || fate === 'ended' || fate === 'purged') continue
      const what = fate === 'lives' ? 'it lived, and' : 'whether it had ended is not known;'
      this.#tellLost(key, `${what} only its payload is left`, ADVICE.live)
    }
  }

  /** Writes a task's record, its payload and its history. */
  async #keep(family: 'task' | 'done', kept: Kept, released: boolean): Promise<void> {
    const { id, core, payload } = kept
    const [key, value] = kept.entry
    const chapters = await this.#chapters(key, id, core.chapters)
    const unkeyed = core.keyed && !(await this.#isFoundByKey(kept))
    const patch = { released, withoutHistory: chapters === undefined, unkeyed }
    await this.#put(family, key, patchCore(key, value, patch))
    await this.#put('payload', ...payload.entry)
    for (const [chapterKey, chapter] of chapters ?? []) {
      await this.#put('history', chapterKey, chapter)
    }
  }

  /** All chapters that are to be kept; undefined if one of them cannot be read. */
  async #chapters(
    owner: Uint8Array,
    id: Uint8Array,
    count: number,
  ): Promise<readonly Entry[] | undefined> {
    const keys = keptHistoryKeys(id, count)
    const values = await this.#survey.reader.getMany(keys)
    const found = keys.flatMap((key, index): Entry[] => {
      const value = values[index]
      return value !== undefined && isSealed(key, value) ? [[key, value]] : []
    })
    if (found.length === keys.length) return found
    const text = `the history of ${nameOfTask(owner)}`
    this.#survey.findings.add('lost', text, owner, ADVICE.history)
    return undefined
  }

  async #isFoundByKey({ queue, core, payload, entry }: Kept): Promise<boolean> {
    const { idempotencyKey } = payload.record.meta
    if (idempotencyKey === undefined) return false
    const key = dedupeKey(queue.slot, queue.number, idempotencyKey)
    const [value] = await this.#survey.reader.getMany([key])
    if (value !== undefined && isSealed(key, value)) return true
    const { oldestKeyMs = 0, wallWentBack } = this.#survey
    if (core.createdAtMs > oldestKeyMs && !wallWentBack) {
      const text = `the idempotency key of ${nameOfTask(entry[0])}: its request may make a second task`
      this.#survey.findings.add('lost', text, key, ADVICE.key)
    }
    return false
  }

  /** Payloads in the order of the ids; undefined where none can be read. */
  async #payloads(ids: readonly Uint8Array[]): Promise<(PayloadEntry | undefined)[]> {
    const keys = ids.map((id) => taskKey('payload', id))
    const values = await this.#survey.reader.getMany(keys)
    return keys.map((key, index) => {
      const value = values[index]
      if (value === undefined || !isSealed(key, value)) return undefined
      return { entry: [key, value], record: decodePayloadRecord(key, value) }
    })
  }

  #readOrTell<T>(key: Uint8Array, read: () => T, advice: string): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#tellLost(key, error.message, advice)
      return undefined
    }
  }

  #tellLost(key: Uint8Array, what: string, advice: string): void {
    this.#survey.findings.add('lost', `${nameOfTask(key)}: ${what}`, key, advice)
  }

  #note(sequence: number, token: number): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence)
    if (token < limits.TOKEN_MAX) this.#lastToken = Math.max(this.#lastToken, token)
  }

  async #put(family: string, key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#kept[family] = (this.#kept[family] ?? 0) + 1
    await this.#store.add(key, value)
  }
}

function generationOf(key: Uint8Array, value: Uint8Array): number | undefined {
  try {
    return readAnyCore(key, value).generation
  } catch (error) {
    if (!isDamage(error)) throw error
    return undefined
  }
}
