// A store in memory that fails, stalls and crashes as told, the same way for the same random source.

import { invariant, type Random, type Scheduler } from '@tq/core'
import type { MemoryImage, PreparedCommit } from './memory-image.ts'
import { pagesOf } from './memory-store.ts'
import {
  StoreError,
  type Batch,
  type CommitOutcome,
  type Entry,
  type KeyRange,
  type Opened,
  type Ownership,
  type Store,
} from './port.ts'

/** Chances are from 0 to 1; times are drawn evenly from 0 to their maximum. */
export interface FaultPlan {
  /** That a commit ends as `unknown`; everything is refused after it. */
  readonly unknownChance: number
  /** That such a commit was applied all the same. */
  readonly appliedChance: number
  readonly commitMsMax: number
  /** That a commit stalls, as LevelDB's do while it compacts. */
  readonly stallChance: number
  readonly stallMsMax: number
  /** Reads that take different times overtake each other. */
  readonly readMsMax: number
}

export const NO_FAULTS: FaultPlan = {
  unknownChance: 0,
  appliedChance: 0,
  commitMsMax: 0,
  stallChance: 0,
  stallMsMax: 0,
  readMsMax: 0,
}

/** What became of a commit whose outcome is not told. */
export type Fate = 'applied' | 'lost'

export interface FaultyStoreOptions {
  readonly random: Random
  readonly scheduler: Scheduler
  readonly plan: FaultPlan
}

interface InFlight {
  readonly ownership: Ownership
  readonly commit: PreparedCommit
}

export class FaultyStore implements Store {
  readonly #image: MemoryImage
  readonly #options: FaultyStoreOptions
  #state: 'new' | 'open' | 'refusing' | 'crashed' | 'closed' = 'new'
  #inFlight: InFlight | undefined
  #nextFate: Fate | undefined
  #settled: Promise<unknown> = Promise.resolve()

  constructor(image: MemoryImage, options: FaultyStoreOptions) {
    this.#image = image
    this.#options = options
  }

  async open(): Promise<Opened> {
    invariant(this.#state === 'new', 'a store is opened once')
    this.#state = 'open'
    return this.#image.takeOwnership()
  }

  async *load(range: KeyRange, pageSize: number): AsyncGenerator<readonly Entry[]> {
    await this.#readable()
    for (const page of pagesOf(this.#image.entries(range), pageSize)) {
      await this.#pass(this.#drawMs(this.#options.plan.readMsMax))
      await this.#readable()
      yield page
    }
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    await this.#readable()
    const values = keys.map((key) => this.#image.get(key))
    await this.#pass(this.#drawMs(this.#options.plan.readMsMax))
    await this.#readable()
    return values
  }

  async commit(
    ownership: Ownership,
    lsn: number,
    epoch: number,
    batch: Batch,
  ): Promise<CommitOutcome> {
    if (this.#state === 'crashed') return await never()
    if (this.#state !== 'open') return 'unknown'
    if (!this.#image.isOwnedBy(ownership)) return 'fenced'
    invariant(this.#inFlight === undefined, 'one commit at a time')
    this.#inFlight = { ownership, commit: this.#image.prepare(lsn, epoch, batch) }
    const fate = this.#drawFate()
    const written = this.#pass(this.#drawCommitMs()).then(() => this.#finish(fate))
    this.#settled = written
    return await written
  }

  async reclaim(): Promise<void> {
    if (this.#state === 'crashed') await never()
  }

  /** Waits for a commit in flight, as a process that shuts down in good order does. */
  async close(): Promise<void> {
    if (this.#state === 'crashed') return
    this.#state = 'closed'
    await this.#settled
  }

  /** The next commit ends as `unknown`, whatever the plan says. */
  failNextCommit(fate: Fate): void {
    this.#nextFate = fate
  }

  /**
   * The process dies: nothing that was asked of this store is ever answered. Another store may be
   * opened on the image.
   * @param fate What became of the commit in flight, if there is one.
   */
  crash(fate: Fate): void {
    const inFlight = this.#inFlight
    this.#inFlight = undefined
    this.#state = 'crashed'
    if (inFlight !== undefined && fate === 'applied') {
      this.#image.apply(inFlight.ownership, inFlight.commit)
    }
  }

  /** Flips one bit of the value stored under this key; it stays so until the key is written. */
  corruptKey(key: Uint8Array): void {
    const value = this.#image.get(key)
    invariant(value !== undefined && value.length > 0, 'only what is stored can be damaged')
    const bit = Math.floor(this.#options.random.chance() * value.length * 8)
    value[bit >>> 3] = (value[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
    this.#image.tamper(key, value)
  }

  async #finish(fate: Fate | undefined): Promise<CommitOutcome> {
    const inFlight = this.#inFlight
    if (inFlight === undefined) return await never()
    this.#inFlight = undefined
    if (fate === undefined) return this.#image.apply(inFlight.ownership, inFlight.commit)
    if (fate === 'applied') this.#image.apply(inFlight.ownership, inFlight.commit)
    if (this.#state === 'open') this.#state = 'refusing'
    return 'unknown'
  }

  /** Draws as often whatever comes out, so that one fault does not shift all later ones. */
  #drawFate(): Fate | undefined {
    const { random, plan } = this.#options
    const isUnknown = random.chance() < plan.unknownChance
    const fate = random.chance() < plan.appliedChance ? 'applied' : 'lost'
    const forced = this.#nextFate
    this.#nextFate = undefined
    return forced ?? (isUnknown ? fate : undefined)
  }

  #drawCommitMs(): number {
    const { random, plan } = this.#options
    const usualMs = this.#drawMs(plan.commitMsMax)
    const stalls = random.chance() < plan.stallChance
    const stallMs = this.#drawMs(plan.stallMsMax)
    return stalls ? usualMs + stallMs : usualMs
  }

  #drawMs(msMax: number): number {
    return this.#options.random.chance() * msMax
  }

  #pass(delayMs: number): Promise<void> {
    if (delayMs === 0) return Promise.resolve()
    return new Promise((resolve) => void this.#options.scheduler.after(delayMs, resolve))
  }

  async #readable(): Promise<void> {
    if (this.#state === 'crashed') await never()
    if (this.#state === 'open') return
    throw new StoreError('IO', `the store is ${this.#state}, not open`)
  }
}

/** What a dead process answers. */
function never(): Promise<never> {
  return new Promise(() => {})
}
