// Group commit: one batch in flight, the facts of later commands gather into the next one.

import type { Clock, Scheduler } from '@tq/core'
import type { BuiltCommit, CommitBuilder } from '../storage/commit-builder.ts'
import { ENGINE_KEY } from '../storage/key.ts'
import type { Ownership, Store } from '../storage/port.ts'
import { encodeEngine, type EngineRecord } from '../storage/registry-record.ts'

/** Bytes at which the commit being gathered takes no more commands while one is in flight. */
const COMMIT_BYTES_MAX = 1024 * 1024

export interface CommitReport {
  readonly lsn: number
  readonly ms: number
  readonly bytes: number
  readonly factCount: number
  readonly built: BuiltCommit
}

export interface CommitLoopParts {
  readonly store: Store
  readonly ownership: Ownership
  readonly builder: CommitBuilder
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** The engine's counters and the epoch as they are now. */
  readonly counters: () => { readonly record: EngineRecord; readonly epoch: number }
  /** After a commit became durable, before its replies leave. */
  readonly onCommitted: (report: CommitReport) => void
  /** There is room again for commands. */
  readonly onRoom: () => void
  /** The commit failed: nothing more may be said to anybody. Called once. */
  readonly onFailed: (outcome: 'fenced' | 'unknown') => void
}

type Waiter = (lsn: number) => void

export class CommitLoop {
  readonly #parts: CommitLoopParts
  #durableLsn: number
  #gathering: Waiter[] = []
  #flying: Waiter[] = []
  #isFlying = false
  #isKicked = false
  #isFailed = false
  #flyingSinceMs = 0
  #idle: (() => void)[] = []

  constructor(parts: CommitLoopParts, lsn: number) {
    this.#parts = parts
    this.#durableLsn = lsn
  }

  /** The newest commit that is known to be on stable storage. */
  get durableLsn(): number {
    return this.#durableLsn
  }

  /** True if commands must wait: memory is a whole commit ahead of the one in flight. */
  get isFull(): boolean {
    return this.#isFlying && this.#parts.builder.bytes >= COMMIT_BYTES_MAX
  }

  /** How long the commit in flight has taken so far, in ms; 0 if none is in flight. */
  get flyingMs(): number {
    return this.#isFlying ? this.#parts.clock.monotonicMs() - this.#flyingSinceMs : 0
  }

  /**
   * Calls back when everything that memory shows now is durable: a reply leaves no earlier, not
   * even that of a read. At once, if nothing is under way. Never, if a commit fails.
   */
  whenDurable(waiter: Waiter): void {
    if (this.#isFailed) return
    if (this.#parts.builder.hasWork) {
      this.#gathering.push(waiter)
      this.kick()
    } else if (this.#isFlying) {
      this.#flying.push(waiter)
    } else {
      waiter(this.#durableLsn)
    }
  }

  /** Starts a commit at once if the one that is gathered is full, before it grows any further. */
  startIfFull(): void {
    if (!this.#isFlying && this.#parts.builder.bytes >= COMMIT_BYTES_MAX) this.#start()
  }

  /** Starts a commit once the events at hand have been dealt with, so that they share it. */
  kick(): void {
    if (this.#isKicked || this.#isFlying || this.#isFailed) return
    this.#isKicked = true
    this.#parts.scheduler.soon(() => {
      this.#isKicked = false
      this.#start()
    })
  }

  /** Resolves when nothing is gathered or in flight any more. Never, if a commit fails. */
  idle(): Promise<void> {
    if (!this.#isFlying && !this.#parts.builder.hasWork) return Promise.resolve()
    this.kick()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #start(): void {
    const { builder, store, ownership, clock } = this.#parts
    if (this.#isFlying || this.#isFailed || !builder.hasWork) return
    const lsn = this.#durableLsn + 1
    const built = builder.build(lsn)
    const { record, epoch } = this.#parts.counters()
    const batch = {
      putKeys: [...built.batch.putKeys, ENGINE_KEY],
      putValues: [...built.batch.putValues, encodeEngine(ENGINE_KEY, record)],
      deleteKeys: built.batch.deleteKeys,
    }
    this.#flying = this.#gathering
    this.#gathering = []
    this.#isFlying = true
    this.#flyingSinceMs = clock.monotonicMs()
    void store.commit(ownership, lsn, epoch, batch).then((outcome) => {
      if (outcome === 'committed') this.#landed(lsn, built)
      else this.#fail(outcome)
    })
    this.#parts.onRoom()
  }

  #landed(lsn: number, built: BuiltCommit): void {
    const ms = this.#parts.clock.monotonicMs() - this.#flyingSinceMs
    const waiters = this.#flying
    this.#durableLsn = lsn
    this.#isFlying = false
    this.#flying = []
    const { bytes, factCount } = built
    this.#parts.onCommitted({ lsn, ms, bytes, factCount, built })
    // The next sync runs while the replies of this one are encoded.
    this.#start()
    for (const waiter of waiters) waiter(lsn)
    if (this.#isFlying || this.#parts.builder.hasWork) {
      this.kick()
      return
    }
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #fail(outcome: 'fenced' | 'unknown'): void {
    this.#isFailed = true
    this.#flying = []
    this.#gathering = []
    this.#parts.onFailed(outcome)
  }
}
