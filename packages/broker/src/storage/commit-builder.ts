// From facts to a batch: what of memory has changed since the last commit, each key once.

import { invariant } from '@tq/core'
import type { EndRecord, Fact } from '../engine/fact.ts'
import { FACT_KINDS } from '../engine/fact.ts'
import type { Queue } from '../engine/queue.ts'
import type { Row } from '../engine/rows.ts'
import { type EngineState, pendingKeyOf } from '../engine/state.ts'
import { FLAG_BORN, FLAG_PURGED } from '../engine/task-table.ts'
import { BARE_VALUE } from './bare-value.ts'
import { ByteWriter } from './byte-writer.ts'
import { encodeDone } from './done-record.ts'
import {
  chapterOfEnd,
  chapterOfFact,
  droppedChapter,
  encodeChapter,
  keptHistoryKeys,
} from './history-record.ts'
import { JournalWriter } from './journal-record.ts'
import {
  dedupeByAgeKey,
  dedupeKey,
  doneByEndKey,
  type EndClass,
  historyKey,
  journalKey,
  queueKey,
  sessionRecordKey,
  taskKey,
} from './key.ts'
import type { PayloadCache } from './payload-cache.ts'
import type { Batch } from './port.ts'
import { encodeDedupe, encodeQueue, encodeSession } from './registry-record.ts'
import { encodeTask } from './task-record.ts'

/** A kept terminal task that a commit added or removed, for those who count them. */
export interface KeptChange {
  readonly queueNumber: number
  readonly endClass: EndClass
  readonly change: 1 | -1
}

export interface BuiltCommit {
  readonly batch: Batch
  /** Ended tasks whose rows may be freed once this commit is durable. */
  readonly endedTasks: readonly Row[]
  /** Idempotency keys that are found on disk once this commit is durable. */
  readonly writtenKeys: readonly string[]
  readonly keptChanges: readonly KeptChange[]
  readonly journalBytes: number
  readonly bytes: number
  readonly factCount: number
}

/**
 * Hears the facts as they happen; `build` then writes each changed task once, as it is at that
 * moment. So a task that is enqueued and completed within one commit is never written as live.
 */
export class CommitBuilder {
  readonly #state: EngineState
  readonly #cache: PayloadCache
  readonly #journal: JournalWriter
  #puts = new Map<string, readonly [Uint8Array, Uint8Array]>()
  #deletes = new Map<string, Uint8Array>()
  #keptChanges: KeptChange[] = []
  #writtenKeys: string[] = []
  #changedQueues = new Set<Queue>()
  #uncommittedBytes = 0

  constructor(state: EngineState, cache: PayloadCache) {
    this.#state = state
    this.#cache = cache
    this.#journal = new JournalWriter(state)
  }

  /** True if there is something to commit. */
  get hasWork(): boolean {
    return this.#journal.count > 0 || this.#deletes.size > 0 || this.#puts.size > 0
  }

  /** About how many bytes the commit that is being gathered has. */
  get bytes(): number {
    return this.#uncommittedBytes + this.#journal.bytes
  }

  /** Takes note of a fact right after it was applied. */
  add(fact: Fact, task: Row, now: { readonly wallMs: number; readonly tickMs: number }): void {
    if (!FACT_KINDS[fact.kind].durable) return
    this.#uncommittedBytes += TASK_BYTES_ABOUT
    switch (fact.kind) {
      case 'task-enqueued':
        this.#addPayload(fact, task)
        break
      case 'task-released':
      case 'task-retried':
        this.#addChapter(task, (generation) => chapterOfFact(fact, generation))
        break
      case 'task-redriven':
        this.#unkeep(fact.ended.id, fact.ended.end, fact.ended.profile.queue)
        this.#addChapter(task, () => chapterOfEnd(fact.ended))
        break
      case 'queue-created':
      case 'queue-changed': {
        const queue = this.#state.queuesByNumber.get(fact.number)
        invariant(queue !== undefined, 'a changed queue is known')
        this.#changedQueues.add(queue)
        break
      }
      case 'session-opened': {
        const key = sessionRecordKey(fact.id)
        const session = this.#state.sessionsByKey.get(Buffer.from(fact.id).toString('hex'))
        invariant(session !== undefined, 'an opened session is known')
        this.put(key, encodeSession(key, session))
        break
      }
      case 'session-closed':
        this.delete(sessionRecordKey(fact.id))
        break
      default:
        break
    }
    this.#journal.add(fact, task, now)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const text = textOf(key)
    this.#deletes.delete(text)
    this.#puts.set(text, [key, value])
    this.#uncommittedBytes += key.length + value.length
  }

  delete(key: Uint8Array): void {
    const text = textOf(key)
    this.#puts.delete(text)
    this.#deletes.set(text, key)
    this.#uncommittedBytes += key.length
  }

  noteKept(change: KeptChange): void {
    this.#keptChanges.push(change)
  }

  /** The batch of everything since the last call, as commit `lsn`. */
  build(lsn: number): BuiltCommit {
    const writer = new ByteWriter()
    const batch = new GatheredBatch()
    const endedTasks: Row[] = []
    for (const task of this.#state.takeDirty()) {
      const end = this.#state.ends.get(task)
      if (end === undefined) {
        this.#writeLive(writer, batch, task)
      } else {
        this.#writeEnded({ writer, batch }, task, end)
        endedTasks.push(task)
      }
      this.#state.tasks.clearFlag(task, FLAG_BORN)
    }
    for (const queue of this.#changedQueues) {
      const key = queueKey(queue.slot, queue.number)
      batch.put(key, encodeQueue(key, queue))
    }
    const factCount = this.#journal.count
    const key = journalKey(lsn)
    const journal = this.#journal.take(key)
    batch.put(key, journal)
    for (const [ownKey, value] of this.#puts.values()) batch.put(ownKey, value)
    // One by one: as arguments of one call they would be too many for the stack.
    for (const ownKey of this.#deletes.values()) batch.deleteKeys.push(ownKey)
    const built: BuiltCommit = {
      batch,
      endedTasks,
      writtenKeys: this.#writtenKeys,
      keptChanges: this.#keptChanges,
      journalBytes: key.length + journal.length,
      bytes: batch.bytes,
      factCount,
    }
    this.#reset()
    return built
  }

  #reset(): void {
    this.#puts = new Map()
    this.#deletes = new Map()
    this.#keptChanges = []
    this.#writtenKeys = []
    this.#changedQueues = new Set()
    this.#uncommittedBytes = 0
  }

  #addPayload(fact: Extract<Fact, { kind: 'task-enqueued' }>, task: Row): void {
    const { id, options, payload, requestHash } = fact
    const position = this.#cache.store(taskKey('payload', id), { payload, options })
    this.#state.tasks.setPayloadPosition(task, position)
    this.#uncommittedBytes += payload.length
    const name = options?.idempotencyKey
    if (name === undefined || requestHash === undefined) return
    const { queue } = fact.profile
    const key = dedupeKey(queue.slot, queue.number, name)
    this.put(key, encodeDedupe(key, { id, hash: requestHash }))
    this.put(dedupeByAgeKey(fact.atMs, key), BARE_VALUE)
    this.#writtenKeys.push(pendingKeyOf(queue.number, name))
  }

  #addChapter(
    task: Row,
    chapterOf: (generation: number) => ReturnType<typeof chapterOfFact>,
  ): void {
    const { tasks } = this.#state
    const id = tasks.id(task)
    const number = tasks.chapters(task) - 1
    const key = historyKey(id, number)
    this.put(key, encodeChapter(key, chapterOf(tasks.generation(task))))
    const dropped = droppedChapter(number)
    if (dropped !== undefined) this.delete(historyKey(id, dropped))
  }

  /** Takes the records of a terminal task away: it lives again. */
  #unkeep(id: Uint8Array, end: EndRecord, queue: Queue): void {
    const endClass: EndClass = end.state === 'dead' ? 'dead' : 'done'
    this.delete(taskKey('done', id))
    this.delete(
      doneByEndKey({ slot: queue.slot, queueNumber: queue.number, endClass, endMs: end.atMs, id }),
    )
    this.#keptChanges.push({ queueNumber: queue.number, endClass, change: -1 })
  }

  #writeLive(writer: ByteWriter, batch: GatheredBatch, task: Row): void {
    const { tasks } = this.#state
    const id = tasks.id(task)
    const key = taskKey('task', id)
    batch.put(key, encodeTask(writer, key, { state: this.#state, task }))
    if (tasks.hasFlag(task, FLAG_BORN)) this.#putPayload(batch, task, id)
  }

  #writeEnded(
    to: { readonly writer: ByteWriter; readonly batch: GatheredBatch },
    task: Row,
    end: EndRecord,
  ): void {
    const { tasks } = this.#state
    const { batch } = to
    const id = tasks.id(task)
    const isBorn = tasks.hasFlag(task, FLAG_BORN)
    if (!isBorn) batch.deleteKeys.push(taskKey('task', id))
    const queue = this.#state.queueOf(task)
    if (!tasks.hasFlag(task, FLAG_PURGED) && keeps(queue, end)) {
      const endClass: EndClass = end.state === 'dead' ? 'dead' : 'done'
      const key = taskKey('done', id)
      const value = encodeDone(to.writer, key, { state: this.#state, task, end })
      this.#putOverDelete(batch, key, value)
      const { slot, number: queueNumber } = queue
      const byEnd = doneByEndKey({ slot, queueNumber, endClass, endMs: end.atMs, id })
      this.#putOverDelete(batch, byEnd, BARE_VALUE)
      this.#keptChanges.push({ queueNumber, endClass, change: 1 })
      if (isBorn) this.#putPayload(batch, task, id)
      return
    }
    if (!isBorn) batch.deleteKeys.push(taskKey('payload', id))
    // Chapters written since the last commit are still among the puts: a delete takes them back.
    for (const key of keptHistoryKeys(id, tasks.chapters(task))) this.delete(key)
  }

  /**
   * A task may be redriven and end again within one commit, and a sender may use the id again of one
   * that is just being forgotten: what is written wins, and no key is there twice.
   */
  #putOverDelete(batch: GatheredBatch, key: Uint8Array, value: Uint8Array): void {
    if (this.#deletes.size > 0) this.#deletes.delete(textOf(key))
    batch.put(key, value)
  }

  #putPayload(batch: GatheredBatch, task: Row, id: Uint8Array): void {
    const record = this.#cache.uncommitted(this.#state.tasks.payloadPosition(task))
    this.#putOverDelete(batch, taskKey('payload', id), record)
  }
}

/** True if the queue's settings keep a task that ended like this. */
function keeps(queue: Queue, end: EndRecord): boolean {
  const { settings } = queue
  return end.state === 'dead'
    ? settings.deadRetentionMs > 0 && settings.deadRetentionCount > 0
    : settings.retentionMs > 0 && settings.retentionCount > 0
}

/** Bytes of a task's record and its key, about; for gathering no more than a commit should hold. */
const TASK_BYTES_ABOUT = 120

class GatheredBatch implements Batch {
  readonly putKeys: Uint8Array[] = []
  readonly putValues: Uint8Array[] = []
  readonly deleteKeys: Uint8Array[] = []
  bytes = 0

  put(key: Uint8Array, value: Uint8Array): void {
    this.putKeys.push(key)
    this.putValues.push(value)
    this.bytes += key.length + value.length
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
