// LevelDB with commits that a test holds back or lets fail.

import type { BrokerStore } from '../src/assembly.ts'
import { LevelStore, type LevelStoreOptions } from '../src/storage/level-store.ts'
import {
  StoreError,
  type Batch,
  type CommitOutcome,
  type Entry,
  type KeyRange,
  type Opened,
  type Ownership,
  type RoomAsked,
} from '../src/storage/port.ts'

export class TroubledStore implements BrokerStore {
  readonly #store: LevelStore
  readonly #options: LevelStoreOptions
  #outcome: CommitOutcome = 'committed'
  #held: Promise<void> = Promise.resolve()
  #letGo: () => void = () => {}
  #waitingCount = 0

  constructor(options: LevelStoreOptions) {
    this.#options = options
    this.#store = new LevelStore(options)
  }

  get refusal(): string | undefined {
    return this.#store.refusal
  }

  /** Commits that are held back now. */
  get heldCount(): number {
    return this.#waitingCount
  }

  /** Every commit from now on ends like this, and is not stored. */
  failCommits(outcome: 'fenced' | 'unknown'): void {
    this.#outcome = outcome
  }

  /** Commits do not end until they are let go. */
  hold(): void {
    this.#held = new Promise((resolve) => (this.#letGo = resolve))
  }

  letGo(): void {
    this.#letGo()
  }

  /** The store is given up for another reason than a commit. */
  giveUp(reason: string): void {
    this.#options.onFailure(new StoreError('IO', reason))
  }

  open(): Promise<Opened> {
    return this.#store.open()
  }

  load(range: KeyRange, pageSize: number): AsyncIterable<readonly Entry[]> {
    return this.#store.load(range, pageSize)
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#store.getMany(keys)
  }

  async commit(
    ownership: Ownership,
    lsn: number,
    epoch: number,
    batch: Batch,
  ): Promise<CommitOutcome> {
    this.#waitingCount += 1
    // The caller's buffers are good only now.
    const copied = {
      putKeys: batch.putKeys.map((key) => Uint8Array.from(key)),
      putValues: batch.putValues.map((value) => Uint8Array.from(value)),
      deleteKeys: batch.deleteKeys.map((key) => Uint8Array.from(key)),
    }
    await this.#held
    this.#waitingCount -= 1
    if (this.#outcome !== 'committed') return this.#outcome
    return await this.#store.commit(ownership, lsn, epoch, copied)
  }

  reclaim(hasRoom: RoomAsked): Promise<void> {
    return this.#store.reclaim(hasRoom)
  }

  get storeId(): string {
    return this.#store.storeId
  }

  sizeBytes(): Promise<number> {
    return this.#store.sizeBytes()
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
