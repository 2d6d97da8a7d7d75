// A partition: engine, storage and commit loop of one part of the task space. No module-level state.
// After a failed commit it is thrown away and opened again; there is no undo.

import { invariant, limits, TaskIdMaker, type Clock, type Random, type Scheduler } from '@tq/core'
import type { Command } from '../engine/command.ts'
import type { Refusal } from '../engine/decision.ts'
import { type Decisions, Engine } from '../engine/engine.ts'
import type { Fact } from '../engine/fact.ts'
import { hexOf } from '../engine/held.ts'
import type { Row } from '../engine/rows.ts'
import type { EngineOptions, EngineState } from '../engine/state.ts'
import { CommitBuilder } from '../storage/commit-builder.ts'
import { JournalKeeper, type JournalLimits } from '../storage/journal-keeper.ts'
import { type DamageListener, Lookup } from '../storage/lookup.ts'
import { PayloadCache } from '../storage/payload-cache.ts'
import type { Opened, Store } from '../storage/port.ts'
import { recover, type StepRunner } from '../storage/recovery.ts'
import type { EngineRecord } from '../storage/registry-record.ts'
import { CommitLoop, type CommitReport } from './commit-loop.ts'
import { FetchWindow } from './fetch-window.ts'
import { VerifyMark } from './verify-mark.ts'
import type { Clocks } from './wall-history.ts'

export interface PartitionOptions {
  readonly engine: EngineOptions
  readonly journal: JournalLimits
  /** Bytes of recently written payloads that are kept in memory. */
  readonly payloadCacheBytes: number
  /** {@link PAYLOAD_SAFETY_BYTES}, unless every request is known to be smaller than it may be. */
  readonly payloadSafetyBytes?: number
}

/** The world a partition lives in; all of it can be simulated. */
export interface World {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
}

export interface PartitionEvents {
  readonly onFact: (fact: Fact, task: Row) => void
  readonly onCommitted: (report: CommitReport) => void
  /** The partition is at its end; the process must be, too. */
  readonly onFailed: (outcome: 'fenced' | 'unknown') => void
  readonly onRoom: () => void
  readonly onDamage: DamageListener
}

/**
 * Payload bytes that may be written while a commit is gathered and another is in flight: each takes
 * up to a full commit and one request on top.
 */
const PAYLOAD_SAFETY_BYTES = 24 * 1024 * 1024
export const PAYLOAD_CACHE_BYTES_MIN: number = 2 * PAYLOAD_SAFETY_BYTES

export class Partition {
  readonly engine: Engine
  readonly cache: PayloadCache
  readonly builder: CommitBuilder
  readonly lookup: Lookup
  readonly fetches = new FetchWindow()
  readonly commits: CommitLoop
  readonly journal: JournalKeeper
  readonly store: Store
  readonly world: World
  readonly ids: TaskIdMaker
  readonly epoch: number
  /** The two clocks at the last commit before the start; undefined before the first. */
  readonly lastClocks: { readonly wallMs: number; readonly tickMs: number } | undefined
  readonly #events: PartitionEvents
  readonly #tickBase: number
  readonly #monotonicBase: number
  readonly #verify: VerifyMark
  readonly #forgotten = new Set<string>()
  #onClocks: (clocks: Clocks) => void = () => undefined
  #stepTime: { readonly wallMs: number; readonly tickMs: number } = { wallMs: 0, tickMs: 0 }

  /** Fills a new partition from an opened store. @throws {StoreError} */
  static async recover(
    parts: { readonly store: Store; readonly opened: Opened; readonly run: StepRunner },
    options: PartitionOptions,
    surroundings: { readonly world: World; readonly events: PartitionEvents },
  ): Promise<Partition> {
    const { store, opened, run } = parts
    let partition: Partition | undefined
    const listen = (fact: Fact, task: Row): void => partition?.heard(fact, task)
    const engine = new Engine(options.engine, listen)
    const record = await recover(store, opened, { state: engine.state, run })
    partition = new Partition({ engine, store, opened, record }, options, surroundings)
    return partition
  }

  private constructor(
    parts: {
      readonly engine: Engine
      readonly store: Store
      readonly opened: Opened
      readonly record: EngineRecord
    },
    options: PartitionOptions,
    surroundings: { readonly world: World; readonly events: PartitionEvents },
  ) {
    const { engine, store, opened, record } = parts
    const { world, events } = surroundings
    this.engine = engine
    this.store = store
    this.world = world
    this.epoch = opened.ownership.epoch
    this.#events = events
    this.lastClocks = record.wallMs === 0 ? undefined : record
    this.#tickBase = record.tickMs
    this.#monotonicBase = world.clock.monotonicMs()
    this.#verify = new VerifyMark(record.verifyFromLsn)
    const { lsn } = opened
    this.journal = new JournalKeeper(options.journal, { fromLsn: record.journalFromLsn, lsn })
    this.cache = new PayloadCache({
      bytes: options.payloadCacheBytes,
      safetyBytes: options.payloadSafetyBytes ?? PAYLOAD_SAFETY_BYTES,
    })
    this.builder = new CommitBuilder(engine.state, this.cache)
    this.lookup = new Lookup(store, engine.state, events.onDamage)
    this.ids = new TaskIdMaker({
      wallMs: () => world.clock.wallMs(),
      fillRandom: (bytes) => world.random.fill(bytes),
    })
    const { clock, scheduler } = world
    this.commits = new CommitLoop(
      {
        store,
        ownership: opened.ownership,
        builder: this.builder,
        clock,
        scheduler,
        counters: () => this.#counters(),
        onCommitted: (report) => this.#committed(report),
        onRoom: events.onRoom,
        onFailed: events.onFailed,
      },
      opened.lsn,
    )
  }

  get state(): EngineState {
    return this.engine.state
  }

  /** The two clocks: the wall's, and the one that never goes back. */
  now(): { readonly wallMs: number; readonly tickMs: number } {
    const elapsedMs = this.world.clock.monotonicMs() - this.#monotonicBase
    return {
      wallMs: this.world.clock.wallMs(),
      tickMs: this.#tickBase + Math.floor(elapsedMs),
    }
  }

  /** Shows the clocks of each step before anything is written under them. */
  watchClocks(onClocks: (clocks: Clocks) => void): void {
    this.#onClocks = onClocks
  }

  /** Carries out a command now; what it changed joins the commit that is being gathered. */
  step<K extends Command['kind']>(
    command: Extract<Command, { kind: K }>,
    actor: string,
  ): Decisions[K] | Refusal {
    // Read once: all facts of a command happen at one moment.
    this.#stepTime = this.now()
    this.#onClocks(this.#stepTime)
    const { wallMs, tickMs } = this.#stepTime
    const chance = this.world.random.chance()
    const decision = this.engine.step(command, { wallMs, tickMs, chance, actor })
    if (this.builder.hasWork) {
      this.commits.kick()
      this.commits.startIfFull()
    }
    return decision
  }

  /** Notes that the records of a kept task are going: a redrive that has read them must not use them. */
  noteForgotten(id: Uint8Array): void {
    const hex = hexOf(id)
    this.#forgotten.add(hex)
    this.commits.whenDurable(() => this.fetches.whenQuiet(() => this.#forgotten.delete(hex)))
  }

  isForgotten(hex: string): boolean {
    return this.#forgotten.has(hex)
  }

  /** Hears each fact after it was applied. */
  heard(fact: Fact, task: Row): void {
    this.builder.add(fact, task, this.#stepTime)
    this.#events.onFact(fact, task)
  }

  #committed(report: CommitReport): void {
    const { built, lsn } = report
    this.#verify.note(lsn, built.bytes)
    this.journal.note({ lsn, bytes: built.journalBytes, tickMs: this.now().tickMs })
    if (built.endedTasks.length > 0 || built.writtenKeys.length > 0) {
      // Nothing else of the commit is kept meanwhile: its batch has the payloads of all its tasks.
      const { endedTasks, writtenKeys } = built
      this.fetches.whenQuiet(() => {
        this.engine.forget(endedTasks)
        for (const key of writtenKeys) this.state.pendingKeys.delete(key)
      })
    }
    this.#events.onCommitted(report)
  }

  #counters(): { record: EngineRecord; epoch: number } {
    const { state } = this
    const epoch = Math.max(this.epoch, Math.floor(state.lastToken / limits.TOKENS_PER_EPOCH))
    invariant(state.lastToken < limits.TOKEN_MAX, 'tokens stay below 2^53')
    const { wallMs, tickMs } = this.now()
    const record: EngineRecord = {
      tickMs,
      wallMs,
      lastToken: state.lastToken,
      nextSequence: state.nextSequence,
      nextQueueNumber: state.nextQueueNumber,
      verifyFromLsn: this.#verify.fromLsn,
      journalFromLsn: this.journal.fromLsn,
    }
    return { record, epoch }
  }
}
