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
import { isSealed, SEAL_BYTES } from '../../src/storage/sealed.ts'
import { decodeTask } from '../../src/storage/task-record.ts'
import { parseProfile } from '../../src/engine/profile.ts'
import { Queue } from '../../src/engine/queue.ts'
import type { Profile } from '../../src/engine/profile.ts'
import { bytesOf, hexOf, shortOf } from './heard.ts'
import type { Model } from './model.ts'
import type { ModelTask } from './model-task.ts'
import type { Trace } from './trace.ts'

export interface StoreFacts {
  readonly model: Model
  readonly lsn: number
  /** Payloads that were damaged on purpose. */
  readonly isCorrupted: (id: string) => boolean
}

/** Checks a whole store; O(records). */
export function checkStore(trace: Trace, image: MemoryImage, facts: StoreFacts): void {
  const check = new StoreCheck(trace, image, facts)
  check.run()
}

class StoreCheck {
  readonly #trace: Trace
  readonly #image: MemoryImage
  readonly #facts: StoreFacts
  readonly #expected = new Set<string>()
  /** Keys by which ended tasks are found in the order of their ends, by id. */
  readonly #byEnd = new Map<string, Uint8Array[]>()

  constructor(trace: Trace, image: MemoryImage, facts: StoreFacts) {
    this.#trace = trace
    this.#image = image
    this.#facts = facts
  }

  run(): void {
    const { model } = this.#facts
    for (const [key] of this.#image.entries(familyRange('doneByEnd'))) {
      const id = hexOf(taskIdOfKey(key))
      this.#byEnd.set(id, [...(this.#byEnd.get(id) ?? []), key])
    }
    for (const task of model.tasks.values()) {
      if (task.end === undefined) this.#live(task)
      else if (task.kept) this.#kept(task, task.end.atMs, task.end.state === 'dead')
    }
    this.#keys(model)
    for (const queue of model.queues.values()) {
      const key = queueKey(slotOfQueue(queue.name), queue.number)
      this.#with(`queue ${queue.name}`, key, (value) => {
        const { name, paused, settings } = decodeQueue(key, value)
        const isSame = JSON.stringify(settings) === JSON.stringify(queue.settings)
        return name === queue.name && paused === queue.paused && isSame
      })
    }
    for (const { key } of model.sessions.values()) this.#expect(sessionRecordKey(bytesOf(key)))
    this.#journal()
    this.#nothingElse()
  }

  #live(task: ModelTask): void {
    const key = taskKey('task', bytesOf(task.id))
    this.#with(`task ${shortOf(task.id)}`, key, (value) => {
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
    const id = bytesOf(task.id)
    const key = taskKey('done', id)
    this.#with(`ended task ${shortOf(task.id)}`, key, (value) => {
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
    this.#trace.law(isListed, `I7: ended task ${shortOf(task.id)} is found once by its end`)
    if (entry !== undefined) this.#expect(entry)
    this.#payload(task)
  }

  #payload(task: ModelTask): void {
    const id = bytesOf(task.id)
    const key = taskKey('payload', id)
    const isCorrupted = this.#facts.isCorrupted(task.id)
    this.#with(`payload of ${shortOf(task.id)}`, key, (value) =>
      isCorrupted ? true : Buffer.compare(readPayloadRecord(value).payload, task.payload) === 0,
    )
    for (const chapter of keptHistoryKeys(id, task.chapters)) this.#expect(chapter)
  }

  #keys(model: Model): void {
    for (const [name, known] of model.keys) {
      const space = name.indexOf(' ')
      const queue = model.queues.get(name.slice(0, space))
      if (queue === undefined) continue
      const key = dedupeKey(slotOfQueue(queue.name), queue.number, name.slice(space + 1))
      this.#with(`I6: key ${name}`, key, (value) => {
        const { id, hash } = decodeDedupe(key, value)
        return hexOf(id) === known.id && hexOf(hash) === known.hash
      })
      this.#expect(dedupeByAgeKey(known.atMs, key))
    }
  }

  #journal(): void {
    const { lsn, model } = this.#facts
    const value = this.#image.get(ENGINE_KEY)
    if (value === undefined) {
      this.#trace.law(lsn === 0, 'I8: a store with commits has an engine record')
      return
    }
    this.#expect(ENGINE_KEY)
    const engine = decodeEngine(ENGINE_KEY, value)
    this.#trace.law(engine.nextSequence >= model.nextSequence, 'the disk counts enqueues on')
    this.#trace.law(engine.lastToken >= model.lastToken, 'I4: the disk counts tokens on')
    for (let number = engine.journalFromLsn; number <= lsn; number += 1)
      this.#expect(journalKey(number))
    for (const [key, record] of this.#image.entries(familyRange('journal'))) {
      const { entries } = decodeJournal(key, record)
      this.#trace.law(entries.length >= 0, `the journal of commit ${lsnOfJournalKey(key)} is whole`)
    }
  }

  #nothingElse(): void {
    for (const name of Object.keys(FAMILIES) as Family[]) {
      for (const [key, value] of this.#image.entries(familyRange(name))) {
        const text = hexOf(key)
        if (this.#expected.delete(text)) {
          const mayBeBad = name === 'payload' && this.#facts.isCorrupted(hexOf(taskIdOfKey(key)))
          if (value.length > 0 && !mayBeBad)
            this.#trace.law(isSealed(key, value), `I25: ${text} is sealed`)
          continue
        }
        this.#trace.violate(`I7: a ${name} record ${text} belongs to nothing${hint(name, key)}`)
        return
      }
    }
    for (const text of this.#expected) {
      this.#trace.violate(`I7: record ${text} is missing`)
      return
    }
  }

  #expect(key: Uint8Array): void {
    this.#expected.add(hexOf(key))
  }

  #with(what: string, key: Uint8Array, isSame: (value: Uint8Array) => boolean): void {
    this.#expect(key)
    const value = this.#image.get(key)
    if (value === undefined) this.#trace.violate(`I1: ${what} is not on disk`)
    else this.#trace.law(isSame(value), () => `I8: ${what} is on disk as it was acknowledged`)
  }

  #profileOf(text: string): Profile | undefined {
    return parseProfile(text, (number) => {
      const queue = this.#facts.model.queueByNumber(number)
      return new Queue(number, queue.name, queue.settings)
    })
  }
}

function hint(family: Family, key: Uint8Array): string {
  if (family !== 'task' && family !== 'payload' && family !== 'done') return ''
  const id = taskIdOfKey(key)
  return ` (task ${shortOf(hexOf(id))}, made at ${wallMsOfTaskId(id)})`
}
