// Compares every record of a store with the reference model: what a crash now would leave behind.

import { slotOfQueue, wallMsOfTaskId } from '@tq/core'
import { ByteReader } from '../../src/storage/byte-reader.ts'
import { decodeDone } from '../../src/storage/done-record.ts'
import { keptHistoryKeys } from '../../src/storage/history-record.ts'
import { decodeJournal } from '../../src/storage/journal-record.ts'
import {
  dedupeByAgeKey,
  dedupeKey,
  ENGINE_KEY,
  FAMILIES,
  familyRange,
  journalKey,
  type Family,
  lsnOfJournalKey,
  parseDoneByEndKey,
  queueKey,
  sessionRecordKey,
  taskIdOfKey,
  taskKey,
} from '../../src/storage/key.ts'
import type { MemoryImage } from '../../src/storage/memory-image.ts'
import { readPayloadRecord } from '../../src/storage/payload-record.ts'
import { decodeDedupe, decodeEngine, decodeQueue } from '../../src/storage/registry-record.ts'
import { WALL_KEY } from '../../src/storage/wall-record.ts'
import { isBare, KEY_ONLY } from '../../src/storage/bare-value.ts'
import { isSealed, SEAL_BYTES } from '../../src/storage/sealed.ts'
import { decodeTask } from '../../src/storage/task-record.ts'
import { parseProfile } from '../../src/engine/profile.ts'
import { Queue } from '../../src/engine/queue.ts'
import type { Profile } from '../../src/engine/profile.ts'
import { bytesOf, hexOf, shortOf } from './heard.ts'
import { Model } from './model.ts'
import type { ModelTask } from './model-task.ts'
import type { Trace } from './trace.ts'

export interface StoreFacts {
  readonly model: Model
  readonly lsn: number
  /** Payloads that were damaged on purpose. */
  readonly isCorrupted: (id: string) => boolean
}

/**
 * One for each disk. Every check looks at all records, but decodes only what has changed since the
 * last one: the image keeps its values as they are, and the model makes a new object at each change.
 */
export class StoreCheck {
  readonly #trace: Trace
  readonly #image: MemoryImage
  #facts: StoreFacts = { model: new Model(), lsn: 0, isCorrupted: () => false }
  /** What each value was last found to agree with. */
  readonly #agreed = new WeakMap<Uint8Array, unknown>()
  readonly #sealed = new WeakSet<Uint8Array>()
  readonly #taskKeys = new Map<string, TaskKeys>()
  readonly #journalKeys = new Map<number, Uint8Array>()
  readonly #idsByEnd = new WeakMap<Uint8Array, string>()
  #expected: Uint8Array[] = []
  /** Keys by which ended tasks are found in the order of their ends, by id. */
  readonly #byEnd = new Map<string, Uint8Array[]>()

  constructor(trace: Trace, image: MemoryImage) {
    this.#trace = trace
    this.#image = image
  }

  run(facts: StoreFacts): void {
    // Neither the disk nor the model of it changes but by commits.
    if (facts.lsn > 0 && facts.lsn === this.#facts.lsn) return
    this.#facts = facts
    this.#expected = []
    this.#findEnds()
    const { model } = facts
    for (const task of model.tasks.values()) {
      if (task.end === undefined) this.#live(task)
      else if (task.kept) this.#kept(task, task.end.atMs, task.end.state === 'dead')
    }
    this.#keys(model)
    for (const queue of model.queues.values()) {
      const key = queueKey(slotOfQueue(queue.name), queue.number)
      this.#with(`queue ${queue.name}`, { key, against: queue }, (value) => {
        const { name, paused, settings } = decodeQueue(key, value)
        const isSame = JSON.stringify(settings) === JSON.stringify(queue.settings)
        return name === queue.name && paused === queue.paused && isSame
      })
    }
    for (const { key } of model.sessions.values()) this.#expect(sessionRecordKey(bytesOf(key)))
    this.#journal()
    this.#nothingElse()
  }

  #findEnds(): void {
    this.#byEnd.clear()
    for (const [key] of this.#image.peekEntries(familyRange('doneByEnd'))) {
      let id = this.#idsByEnd.get(key)
      if (id === undefined) this.#idsByEnd.set(key, (id = hexOf(taskIdOfKey(key))))
      const keys = this.#byEnd.get(id)
      if (keys === undefined) this.#byEnd.set(id, [key])
      else keys.push(key)
    }
  }

  #keysOf(id: string): TaskKeys {
    let keys = this.#taskKeys.get(id)
    if (keys !== undefined) return keys
    const bytes = bytesOf(id)
    keys = {
      bytes,
      task: taskKey('task', bytes),
      done: taskKey('done', bytes),
      payload: taskKey('payload', bytes),
    }
    this.#taskKeys.set(id, keys)
    return keys
  }

  #live(task: ModelTask): void {
    const key = this.#keysOf(task.id).task
    this.#with('task', { key, against: task }, (value) => {
      const { core, lease } = decodeTask(new ByteReader(value, SEAL_BYTES))
      const isPlace = core.state === task.state || core.state === task.dueFrom
      const isHolder =
        lease === undefined
          ? task.lease === undefined
          : lease.token === task.lease?.token &&
            hexOf(lease.session) === task.lease.session &&
            lease.claim === task.lease.claim &&
            lease.leaseMs === task.lease.leaseMs
      return (
        isPlace &&
        isHolder &&
        core.priority === task.priority &&
        core.failures === task.failures &&
        core.losses === task.losses &&
        core.generation === task.generation &&
        core.chapters === task.chapters &&
        core.sequence === task.sequence &&
        core.cancelRequested === task.cancelRequested
      )
    })
    this.#payload(task)
  }

  #kept(task: ModelTask, endMs: number, isDead: boolean): void {
    const { bytes: id, done: key } = this.#keysOf(task.id)
    this.#with('ended task', { key, against: task }, (value) => {
      const profileOf = (text: string): Profile | undefined => this.#profileOf(text)
      const { end, failures, losses, generation, chapters } = decodeDone(key, value, {
        id,
        profileOf,
      })
      return (
        end.state === task.end?.state &&
        end.reason === task.end.reason &&
        end.atMs === endMs &&
        end.attempt?.token === task.end.token &&
        failures === task.failures &&
        losses === task.losses &&
        generation === task.generation &&
        chapters === task.chapters
      )
    })
    const byEnd = this.#byEnd.get(task.id) ?? []
    const entry = byEnd[0]
    const parsed = entry === undefined ? undefined : parseDoneByEndKey(entry)
    const isListed =
      byEnd.length === 1 &&
      parsed?.endMs === endMs &&
      parsed.endClass === (isDead ? 'dead' : 'done') &&
      parsed.queueNumber === this.#facts.model.queues.get(task.queue)?.number
    this.#trace.law(isListed, () => `I7: ended task ${shortOf(task.id)} is found once by its end`)
    if (entry !== undefined) this.#expect(entry)
    this.#payload(task)
  }

  #payload(task: ModelTask): void {
    const { bytes: id, payload: key } = this.#keysOf(task.id)
    const isCorrupted = this.#facts.isCorrupted(task.id)
    this.#with('payload of', { key, against: task.payload }, (value) =>
      isCorrupted ? true : Buffer.compare(readPayloadRecord(value).payload, task.payload) === 0,
    )
    if (task.chapters === 0) return
    for (const chapter of keptHistoryKeys(id, task.chapters)) this.#expect(chapter)
  }

  #keys(model: Model): void {
    for (const [name, known] of model.keys) {
      const space = name.indexOf(' ')
      const queue = model.queues.get(name.slice(0, space))
      if (queue === undefined) continue
      const key = dedupeKey(slotOfQueue(queue.name), queue.number, name.slice(space + 1))
      this.#with(`I6: key ${name}`, { key, against: known }, (value) => {
        const { id, hash } = decodeDedupe(key, value)
        return hexOf(id) === known.id && hexOf(hash) === known.hash
      })
      this.#expect(dedupeByAgeKey(known.atMs, key))
    }
  }

  #journal(): void {
    const { lsn, model } = this.#facts
    const value = this.#image.peek(ENGINE_KEY)
    if (value === undefined) {
      this.#trace.law(lsn === 0, 'I8: a store with commits has an engine record')
      return
    }
    this.#expect(ENGINE_KEY)
    // Written when the wall clock has stepped, and then kept.
    if (this.#image.peek(WALL_KEY) !== undefined) this.#expect(WALL_KEY)
    const engine = decodeEngine(ENGINE_KEY, value)
    this.#trace.law(engine.nextSequence >= model.nextSequence, 'the disk counts enqueues on')
    this.#trace.law(engine.lastToken >= model.lastToken, 'I4: the disk counts tokens on')
    for (let number = engine.journalFromLsn; number <= lsn; number += 1)
      this.#expect(this.#journalKeyOf(number))
    for (const [key, record] of this.#image.peekEntries(familyRange('journal'))) {
      if (this.#agreed.has(record)) continue
      const { entries } = decodeJournal(key, record)
      this.#trace.law(entries.length >= 0, `the journal of commit ${lsnOfJournalKey(key)} is whole`)
      this.#agreed.set(record, entries)
    }
  }

  #journalKeyOf(lsn: number): Uint8Array {
    let key = this.#journalKeys.get(lsn)
    if (key === undefined) this.#journalKeys.set(lsn, (key = journalKey(lsn)))
    return key
  }

  /** Every record is expected and sealed: as many as are expected, and each of those is there. */
  #nothingElse(): void {
    let count = 0
    for (const name of Object.keys(FAMILIES) as Family[]) {
      for (const [key, value] of this.#image.peekEntries(familyRange(name))) {
        count += 1
        if (KEY_ONLY.has(name) ? isBare(value) : this.#sealed.has(value)) continue
        const mayBeBad = name === 'payload' && this.#facts.isCorrupted(hexOf(taskIdOfKey(key)))
        if (!mayBeBad) this.#trace.law(isSealed(key, value), () => `I25: ${hexOf(key)} is sealed`)
        this.#sealed.add(value)
      }
    }
    for (const key of this.#expected) {
      if (this.#image.peek(key) !== undefined) continue
      return this.#trace.violate(`I7: record ${hexOf(key)} is missing`)
    }
    if (count !== this.#expected.length) this.#nameTheStranger()
  }

  #nameTheStranger(): void {
    const expected = new Set(this.#expected.map(hexOf))
    for (const name of Object.keys(FAMILIES) as Family[]) {
      for (const [key] of this.#image.peekEntries(familyRange(name))) {
        if (expected.has(hexOf(key))) continue
        const text = hexOf(key)
        return this.#trace.violate(
          `I7: a ${name} record ${text} belongs to nothing${hint(name, key)}`,
        )
      }
    }
    this.#trace.violate('I7: a record is expected twice')
  }

  /** @param key Of a record whose value is not looked at; it must be there. */
  #expect(key: Uint8Array): void {
    this.#expected.push(key)
  }

  /** A record must be there and agree with what the model says. */
  #with(
    what: string,
    record: { readonly key: Uint8Array; readonly against: object },
    isSame: (value: Uint8Array) => boolean,
  ): void {
    const { key, against } = record
    this.#expected.push(key)
    const value = this.#image.peek(key)
    if (value === undefined) {
      this.#trace.violate(`I1: ${what} ${hexOf(key)} is not on disk`)
      return
    }
    if (this.#agreed.get(value) === against) return
    this.#trace.law(
      isSame(value),
      () => `I8: ${what} ${hexOf(key)} is on disk as it was acknowledged`,
    )
    this.#agreed.set(value, against)
  }

  #profileOf(text: string): Profile | undefined {
    return parseProfile(text, (number) => {
      const queue = this.#facts.model.queueByNumber(number)
      return new Queue(number, queue.name, queue.settings)
    })
  }
}

interface TaskKeys {
  readonly bytes: Uint8Array
  readonly task: Uint8Array
  readonly done: Uint8Array
  readonly payload: Uint8Array
}

function hint(family: Family, key: Uint8Array): string {
  if (family !== 'task' && family !== 'payload' && family !== 'done') return ''
  const id = taskIdOfKey(key)
  return ` (task ${shortOf(hexOf(id))}, made at ${wallMsOfTaskId(id)})`
}
