// The chronicle: what memory shows, what is durable, and the facts between the two, commit by commit.

import type { Batch } from '../../src/storage/port.ts'
import { dedupeKey, FAMILIES, journalKey, taskIdOfKey } from '../../src/storage/key.ts'
import { slotOfQueue, type TaskState } from '@tq/core'
import { FACT_KINDS, type Fact } from '../../src/engine/fact.ts'
import { type Heard, hexOf, type Moment } from './heard.ts'
import { keyOf, Model } from './model.ts'
import type { ModelQueue, ModelTask } from './model-task.ts'
import type { Trace } from './trace.ts'

interface Commit {
  readonly lsn: number
  readonly heard: readonly Heard[]
  /** Ended tasks of this commit, and whether their queue's settings keep them. */
  readonly kept: ReadonlyMap<string, boolean>
  /** Ended tasks whose records housekeeping takes away. */
  readonly forgotten: readonly string[]
  readonly forgottenKeys: readonly string[]
}

/** What recovery read of a live task. */
export interface Recovered {
  readonly state: TaskState
  readonly deadlineTickMs: number | undefined
}

export class Chronicle {
  readonly #trace: Trace
  readonly #dedupeMs: number
  #live = new Model()
  #durable = new Model()
  #durableLsn = 0
  #gathering: Heard[] = []
  #heardCount = 0
  #inFlight: Commit | undefined
  /** Names of idempotency keys by the hex text of their key on disk. */
  readonly #keyNames = new Map<string, string>()

  readonly #promised = new Set<string>()
  /** Ids that came with an idempotency key: another task may stand for them. */
  readonly #keyed = new Set<string>()
  readonly #batches = new Map<string, readonly string[]>()

  constructor(trace: Trace, dedupeMs: number) {
    this.#trace = trace
    this.#dedupeMs = dedupeMs
  }

  /** What the broker's memory ought to show. */
  get live(): Model {
    return this.#live
  }

  /** What a crash could not undo any more. */
  get durable(): Model {
    return this.#durable
  }

  get durableLsn(): number {
    return this.#durableLsn
  }

  /** How many facts were heard so far. */
  get heardCount(): number {
    return this.#heardCount
  }

  get isInFlight(): boolean {
    return this.#inFlight !== undefined
  }

  hear(heard: Heard): void {
    const { fact, id } = heard
    if (fact.kind === 'task-enqueued' && fact.options?.idempotencyKey !== undefined) {
      const { queue } = fact.profile
      const name = fact.options.idempotencyKey
      const key = hexOf(dedupeKey(slotOfQueue(queue.name), queue.number, name))
      this.#keyNames.set(key, keyOf(queue.name, name))
    }
    this.#heardCount += 1
    this.#gathering.push(heard)
    this.#live.apply(heard)
    // Whoever becomes live again takes its records along, whatever was kept before.
    if (fact.kind === 'task-redriven') this.#live.change(id, { kept: false })
  }

  /** Nothing is gathered or in flight. */
  get isQuiet(): boolean {
    return this.#inFlight === undefined && this.#gathering.every(({ fact }) => !isDurable(fact))
  }

  /** A producer was told that these tasks exist: that must be so for ever. */
  promised(ids: readonly string[]): void {
    for (const id of ids) this.#promised.add(id)
  }

  /** A producer sends these tasks in one request: all of them become durable at once, or none. */
  batch(ids: readonly string[], keyed: readonly string[]): void {
    for (const id of ids) this.#batches.set(id, ids)
    for (const id of keyed) this.#keyed.add(id)
  }

  /** I1: what was acknowledged is there, or it ended and may have been forgotten. */
  checkPromises(): void {
    for (const id of this.#promised) {
      this.#trace.law(this.#durable.tasks.has(id), `I1: task ${id} was acknowledged and is lost`)
    }
  }

  /** The store was asked to commit all that was gathered. */
  committing(lsn: number, batch: Batch): void {
    const heard = this.#gathering
    this.#gathering = []
    const kept = new Map<string, boolean>()
    const redriven = new Set<string>()
    for (const { fact, id } of heard) {
      if (fact.kind === 'task-redriven') redriven.add(id)
      if (fact.kind !== 'task-ended' && fact.kind !== 'task-purged') continue
      const task = this.#live.task(id)
      const queue = this.#live.queues.get(task.queue)
      if (task.end !== undefined && queue !== undefined) kept.set(id, isKept(queue, task))
    }
    const forgotten: string[] = []
    const forgottenKeys: string[] = []
    for (const key of batch.deleteKeys) {
      if (key[0] === FAMILIES.done) {
        const id = hexOf(taskIdOfKey(key))
        if (!redriven.has(id)) forgotten.push(id)
      } else if (key[0] === FAMILIES.dedupe) {
        const name = this.#keyNames.get(hexOf(key))
        if (name !== undefined) forgottenKeys.push(name)
        this.#checkWindow(name)
      } else if (key[0] === FAMILIES.journal) {
        this.#trace.reach('housekeeping trimmed the journal')
      }
    }
    this.#inFlight = { lsn, heard, kept, forgotten, forgottenKeys }
    const hasJournal = batch.putKeys.some((key) => hexOf(key) === hexOf(journalKey(lsn)))
    this.#trace.law(hasJournal, `I8: commit ${lsn} writes its own journal record`)
    this.#trace.note('store', `commit ${lsn}: ${heard.length} facts`)
  }

  landed(lsn: number): void {
    const commit = this.#inFlight
    if (!this.#trace.law(commit?.lsn === lsn, `I8: commit ${lsn} is the one in flight`)) return
    this.#land(commit as Commit)
  }

  /** The store was opened again: it holds all that was acknowledged, and perhaps one commit more. */
  reopened(lsn: number): void {
    const commit = this.#inFlight
    this.#trace.law(
      lsn === this.#durableLsn || lsn === commit?.lsn,
      `I8: the store holds commit ${this.#durableLsn}, or the one in flight (${commit?.lsn}), not ${lsn}`,
    )
    if (commit !== undefined && lsn === commit.lsn) this.#land(commit)
    this.#inFlight = undefined
    this.#gathering = []
    this.#live = new Model(this.#durable)
    this.checkPromises()
  }

  /** Recovery is through: the time of leases begins anew. */
  restarted(at: Moment, recovered: (id: string) => Recovered | undefined): void {
    for (const model of [this.#live, this.#durable]) {
      for (const { id, dueFrom, lease } of model.live.values()) {
        const { state, deadlineTickMs = 0 } = recovered(id) ?? {}
        // A task whose due time had come waits for it again: that it is due is not written down.
        const waitsAgain = dueFrom !== undefined && state === dueFrom
        if (waitsAgain) model.change(id, { state: dueFrom, dueFrom: undefined })
        if (lease === undefined) continue
        // By how much stalls moved the deadline is written down with the task's next change only.
        const isMoved = deadlineTickMs < lease.deadlineTickMs
        const isKnown = deadlineTickMs >= lease.deadlineTickMs - lease.extendedMs
        if (isMoved && isKnown) model.change(id, { lease: { ...lease, deadlineTickMs } })
      }
    }
    this.#live.restart(at)
  }

  #land(commit: Commit): void {
    const { lsn, heard, kept, forgotten, forgottenKeys } = commit
    this.#durableLsn = lsn
    this.#inFlight = undefined
    for (const one of heard) this.#durable.apply(one)
    for (const { fact, id } of heard) if (fact.kind === 'task-enqueued') this.#checkBatch(id)
    for (const [id, isKeptNow] of kept) {
      this.#durable.change(id, { kept: isKeptNow })
      const task = this.#live.task(id)
      if (task.end !== undefined && task.generation === this.#durable.task(id).generation) {
        this.#live.change(id, { kept: isKeptNow })
      }
    }
    for (const id of forgotten) {
      this.#trace.reach('housekeeping forgot an ended task')
      this.#durable.change(id, { kept: false })
      this.#live.change(id, { kept: false })
    }
    for (const name of forgottenKeys) {
      this.#trace.reach('housekeeping forgot an idempotency key')
      this.#durable.keys.delete(name)
      this.#live.keys.delete(name)
    }
  }

  /** I6: whatever the wall clock does, a key is remembered for as long as was promised. */
  #checkWindow(name: string | undefined): void {
    const known = name === undefined ? undefined : this.#live.keys.get(name)
    if (known === undefined) return
    const agoMs = this.#trace.nowMs - known.monotonicMs
    const isOver = agoMs + 1 >= this.#dedupeMs
    this.#trace.law(isOver, `I6: key ${name} is forgotten after ${agoMs.toFixed(0)} ms`)
  }

  #checkBatch(id: string): void {
    for (const other of this.#batches.get(id) ?? []) {
      const isThere = other === '' || this.#durable.tasks.has(other) || this.#keyed.has(other)
      this.#trace.law(isThere, `I7: ${other.slice(-6)} came with ${id.slice(-6)} in one request`)
    }
  }
}

function isDurable({ kind }: Fact): boolean {
  return FACT_KINDS[kind].durable
}

function isKept({ settings }: ModelQueue, { end, purged }: ModelTask): boolean {
  if (purged || end === undefined) return false
  return end.state === 'dead'
    ? settings.deadRetentionMs > 0 && settings.deadRetentionCount > 0
    : settings.retentionMs > 0 && settings.retentionCount > 0
}
