// An engine with a disk in memory, by the real parts: facts become batches, batches become a store.

import {
  type HeldTask,
  limits,
  type QueueSettings,
  type TaskIdBytes,
  type TaskSpec,
} from '@tq/core'
import type { Command, EndedTasks, EnqueueFindings } from '../src/engine/command.ts'
import type { Claimed } from '../src/engine/decide-claim.ts'
import type { Refusal } from '../src/engine/decision.ts'
import { type Decisions, Engine } from '../src/engine/engine.ts'
import { checkInvariants } from '../src/engine/invariants.ts'
import { NO_ROW, type Row } from '../src/engine/rows.ts'
import {
  DEFAULT_ENGINE_OPTIONS,
  type EngineOptions,
  type EngineState,
} from '../src/engine/state.ts'
import { hashesOf } from '../src/pipeline/fetch.ts'
import { type BuiltCommit, CommitBuilder } from '../src/storage/commit-builder.ts'
import { ENGINE_KEY } from '../src/storage/key.ts'
import { Lookup } from '../src/storage/lookup.ts'
import { MemoryImage } from '../src/storage/memory-image.ts'
import { MemoryStore } from '../src/storage/memory-store.ts'
import { PayloadCache } from '../src/storage/payload-cache.ts'
import type { Opened, Store } from '../src/storage/port.ts'
import { recover, type StepRunner } from '../src/storage/recovery.ts'
import { encodeEngine, type EngineRecord } from '../src/storage/registry-record.ts'
import {
  accepted,
  aSession,
  aTask,
  aTaskId,
  type ClaimWish,
  type TaskWish,
} from './task-builder.ts'

const START_WALL_MS = 1_800_000_000_000
/** Runs a step of the start and remembers nothing. */
export const RUN: StepRunner = async (_, step) => (await step()).value

const CACHE_BYTES = 256 * 1024

export class StoredEngine {
  readonly image: MemoryImage
  readonly store: Store
  readonly opened: Opened
  readonly engine: Engine
  readonly cache: PayloadCache
  readonly builder: CommitBuilder
  readonly lookup: Lookup
  /** Names of damaged records that were met, such as `done`. */
  readonly damages: string[] = []
  wallMs: number
  tickMs: number
  actor = 'alice'
  /** The LSN of the last commit. */
  lsn: number
  /** The journal begins here; nothing moves it but the test. */
  journalFromLsn = 1
  verifyFromLsn = 1
  #idCount = 0
  #claimCount = 0
  #forgotten = new Set<string>()

  /** Opens what an image holds; a new one is empty. */
  static open(
    image: MemoryImage = new MemoryImage(),
    options: Partial<EngineOptions> = {},
  ): Promise<StoredEngine> {
    return StoredEngine.on(new MemoryStore(image), image, options)
  }

  /** Opens a store of any kind. The image is that of a store in memory. */
  static async on(
    store: Store,
    image: MemoryImage = new MemoryImage(),
    options: Partial<EngineOptions> = {},
  ): Promise<StoredEngine> {
    const opened = await store.open()
    const stored = new StoredEngine({ image, store, opened }, options)
    const record = await recover(store, opened, { state: stored.state, run: RUN })
    stored.#goOn(record)
    return stored
  }

  private constructor(
    disk: { readonly image: MemoryImage; readonly store: Store; readonly opened: Opened },
    options: Partial<EngineOptions>,
  ) {
    this.image = disk.image
    this.store = disk.store
    this.opened = disk.opened
    this.lsn = disk.opened.lsn
    this.wallMs = START_WALL_MS
    this.tickMs = 0
    this.engine = new Engine({ ...DEFAULT_ENGINE_OPTIONS, ...options }, (fact, task) =>
      this.builder.add(fact, task, { wallMs: this.wallMs, tickMs: this.tickMs }),
    )
    this.cache = new PayloadCache({ bytes: CACHE_BYTES, safetyBytes: CACHE_BYTES / 4 })
    this.builder = new CommitBuilder(this.state, this.cache)
    this.lookup = new Lookup(disk.store, this.state, (what) => void this.damages.push(what))
  }

  #goOn(record: EngineRecord): void {
    this.wallMs = Math.max(START_WALL_MS, record.wallMs)
    this.tickMs = record.tickMs
    this.journalFromLsn = record.journalFromLsn
    this.verifyFromLsn = record.verifyFromLsn
    // Ids and claims that no earlier run has used.
    this.#idCount = record.nextSequence + 1_000 * this.opened.ownership.epoch
    this.#claimCount = 1_000 * this.opened.ownership.epoch
    checkInvariants(this.state)
  }

  get state(): EngineState {
    return this.engine.state
  }

  /** What the next start on a copy of the disk would find; this one goes on. */
  reopened(): Promise<StoredEngine> {
    return StoredEngine.open(this.image.fork(), this.state.options)
  }

  pass(durationMs: number): this {
    this.wallMs += durationMs
    this.tickMs += durationMs
    return this
  }

  step<K extends Command['kind']>(
    command: Extract<Command, { kind: K }>,
    actor: string = this.actor,
  ): Decisions[K] | Refusal {
    const { wallMs, tickMs } = this
    const decision = this.engine.step<K>(command, { wallMs, tickMs, chance: 0.5, actor })
    checkInvariants(this.state)
    return decision
  }

  /** Writes everything since the last call; ended tasks then leave memory. */
  async commit(): Promise<BuiltCommit> {
    this.lsn += 1
    const built = this.builder.build(this.lsn)
    const { putKeys, putValues, deleteKeys } = built.batch
    const batch = {
      putKeys: [...putKeys, ENGINE_KEY],
      putValues: [...putValues, encodeEngine(ENGINE_KEY, this.#counters())],
      deleteKeys,
    }
    const { ownership } = this.opened
    const epoch = Math.max(
      ownership.epoch,
      Math.floor(this.state.lastToken / limits.TOKENS_PER_EPOCH),
    )
    const outcome = await this.store.commit(ownership, this.lsn, epoch, batch)
    if (outcome !== 'committed') throw new Error(`the commit is ${outcome}`)
    this.engine.forget(built.endedTasks)
    for (const key of built.writtenKeys) this.state.pendingKeys.delete(key)
    this.#forgotten.clear()
    checkInvariants(this.state)
    return built
  }

  #counters(): EngineRecord {
    const { state, tickMs, wallMs, verifyFromLsn, journalFromLsn } = this
    const { lastToken, nextSequence, nextQueueNumber } = state
    const numbers = { lastToken, nextSequence, nextQueueNumber }
    return { tickMs, wallMs, ...numbers, verifyFromLsn, journalFromLsn }
  }

  nextId(queue: string): TaskIdBytes {
    this.#idCount += 1
    return aTaskId(queue, this.#idCount)
  }

  /** Enqueues one task whose id was never sent before. */
  add(queue: string, wish: TaskWish = {}): TaskIdBytes {
    const id = wish.id ?? this.nextId(queue)
    accepted(this.enqueue(queue, [aTask({ ...wish, id })]))
    return id
  }

  enqueue(
    queue: string,
    tasks: readonly TaskSpec[],
    findings?: EnqueueFindings,
  ): Decisions['enqueue'] | Refusal {
    const request = { verb: 'enqueue', queue, tasks, fresh: findings === undefined } as const
    return this.step<'enqueue'>({ kind: 'enqueue', request, hashes: hashesOf(request), findings })
  }

  claim(wish: ClaimWish = {}): readonly Claimed[] {
    const { session = 'w1', principal, payloadBytesMax = 2 ** 21, ...request } = wish
    this.#claimCount += 1
    const command = {
      kind: 'claim',
      request: {
        verb: 'claim',
        queues: ['mail'],
        max: 1,
        waitMs: 0,
        start: true,
        claim: this.#claimCount,
        order: 'round',
        ...request,
      },
      session: aSession(session, principal),
      payloadBytesMax,
    } as const
    return accepted(this.step<'claim'>(command, principal)).claimed
  }

  claimOne(wish: ClaimWish = {}): Claimed {
    const [claimed] = this.claim(wish)
    if (claimed === undefined) throw new Error('the claim got no task')
    return claimed
  }

  start(...tasks: readonly HeldTask[]): Decisions['start'] {
    const request = { verb: 'start', tasks } as const
    return accepted(this.step<'start'>({ kind: 'start', request, ended: NOTHING }))
  }

  complete(task: HeldTask, result?: Uint8Array): Decisions['complete'] {
    const { id, token } = task
    const request = { verb: 'complete', tasks: [{ id, token, result }] } as const
    return accepted(this.step<'complete'>({ kind: 'complete', request, ended: NOTHING }))
  }

  fail(
    task: HeldTask,
    wish: { readonly retryable?: boolean; readonly stack?: string } = {},
  ): Decisions['fail'] {
    const { id, token } = task
    const { retryable = true, ...more } = wish
    const error = { message: 'it broke', type: 'Broken', ...more }
    const request = { verb: 'fail', tasks: [{ id, token, error, retryable }] } as const
    return accepted(this.step<'fail'>({ kind: 'fail', request, ended: NOTHING }))
  }

  release(task: HeldTask): Decisions['release'] {
    const request = { verb: 'release', tasks: [task] } as const
    return accepted(this.step<'release'>({ kind: 'release', request, ended: NOTHING }))
  }

  cancel(id: TaskIdBytes, reason?: string): Decisions['cancel'] {
    const request = { verb: 'cancel', ids: [id], ...(reason && { reason }) } as const
    return accepted(this.step<'cancel'>({ kind: 'cancel', request, ended: NOTHING }))
  }

  /** Redrives a task whose end is durable. */
  async redrive(id: TaskIdBytes): Promise<Decisions['redrive']> {
    const found = await this.lookup.ended([id])
    const ended = new Map([...found].filter(([hex]) => !this.#forgotten.has(hex)))
    const request = { verb: 'redrive', ids: [id] } as const
    return accepted(this.step<'redrive'>({ kind: 'redrive', request, ended }))
  }

  setPriority(id: TaskIdBytes, priority: number): Decisions['set-priority'] {
    const request = { verb: 'set-priority', ids: [id], priority } as const
    return accepted(this.step<'set-priority'>({ kind: 'set-priority', request, ended: NOTHING }))
  }

  register(name: string, labels: Readonly<Record<string, string | boolean>> = {}): void {
    const request = { verb: 'register', name, version: '1.0.0', labels, slots: 4 } as const
    const session = aSession(name)
    accepted(this.step<'register'>({ kind: 'register', request, session }))
  }

  leave(name: string): Decisions['leave'] {
    return accepted(this.step<'leave'>({ kind: 'leave', session: aSession(name) }))
  }

  setQueue(queue: string, settings: Partial<QueueSettings>): void {
    const request = { verb: 'queue-set', queue, settings } as const
    accepted(this.step<'queue-set'>({ kind: 'queue-set', request }))
  }

  pause(queue: string, reason?: string): void {
    const request = { verb: 'queue-pause', queue, ...(reason && { reason }) } as const
    accepted(this.step<'queue-pause'>({ kind: 'queue-pause', request }))
  }

  resume(queue: string): void {
    const request = { verb: 'queue-resume', queue } as const
    accepted(this.step<'queue-resume'>({ kind: 'queue-resume', request }))
  }

  purge(queue: string): void {
    const request = { verb: 'queue-purge', queue, reason: 'too many' } as const
    accepted(this.step<'queue-purge'>({ kind: 'queue-purge', request }))
  }

  quarantine(task: HeldTask): void {
    accepted(this.step<'quarantine'>({ kind: 'quarantine', tasks: [task] }, 'broker'))
  }

  /** All that time has brought. */
  expire(): void {
    while (accepted(this.step<'expire'>({ kind: 'expire' }, 'broker')).more);
  }

  tick(): void {
    this.step<'tick'>({ kind: 'tick' }, 'broker')
  }

  /** An ended task whose records are being deleted is not redriven any more. */
  noteForgotten(hex: string): void {
    this.#forgotten.add(hex)
  }

  row(id: TaskIdBytes): Row {
    return this.state.index.find(id) ?? NO_ROW
  }
}

const NOTHING: EndedTasks = new Map()
