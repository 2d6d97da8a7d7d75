// A store in memory whose commits and reads a test holds back, lets go, or makes fail.

import { FAMILIES, type Family } from '../src/storage/key.ts'
import type { MemoryImage } from '../src/storage/memory-image.ts'
import { MemoryStore } from '../src/storage/memory-store.ts'
import {
  type Batch,
  type CommitOutcome,
  type Entry,
  type KeyRange,
  type Opened,
  type Ownership,
  type Store,
  StoreError,
} from '../src/storage/port.ts'

/** Holds whoever passes while it is shut. */
class Gate {
  #shut: Promise<void> | undefined
  #family: Family | undefined
  #open: () => void = () => undefined

  /** @param family Only who asks for keys of this family is held; default is everybody. */
  shut(family?: Family): void {
    this.#family = family
    this.#shut = new Promise((resolve) => (this.#open = resolve))
  }

  open(): void {
    this.#shut = undefined
    this.#open()
  }

  async pass(key?: Uint8Array): Promise<void> {
    const isHeld = this.#family === undefined || key?.[0] === FAMILIES[this.#family]
    if (isHeld) await this.#shut
  }
}

export class GatedStore implements Store {
  readonly commits = new Gate()
  readonly reads = new Gate()
  readonly #store: MemoryStore
  /** Batches that were asked for, in order. */
  readonly batches: Batch[] = []
  /** How every commit from now on ends, if not well. */
  outcome: CommitOutcome = 'committed'
  /** Every read from now on fails. */
  failsReads = false
  #commitsAtOnce = 0
  commitsAtOnceMax = 0

  constructor(image: MemoryImage) {
    this.#store = new MemoryStore(image)
  }

  open(): Promise<Opened> {
    return this.#store.open()
  }

  async *load(range: KeyRange, pageSize: number): AsyncGenerator<readonly Entry[]> {
    // Each page shows what was there when the first was asked for, however late it is handed out.
    const pages = this.#store.load(range, pageSize)
    let next = pages.next()
    for (;;) {
      this.#assertReadable()
      const page = await next
      await this.reads.pass(range.from)
      this.#assertReadable()
      if (page.done === true) return
      next = pages.next()
      yield page.value
    }
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#assertReadable()
    const values = await this.#store.getMany(keys)
    await this.reads.pass(keys[0])
    this.#assertReadable()
    return values
  }

  async commit(
    ownership: Ownership,
    lsn: number,
    epoch: number,
    batch: Batch,
  ): Promise<CommitOutcome> {
    this.batches.push(batch)
    this.#commitsAtOnce += 1
    this.commitsAtOnceMax = Math.max(this.commitsAtOnceMax, this.#commitsAtOnce)
    // The caller's buffers are good only now.
    const copied = {
      putKeys: batch.putKeys.map((key) => Uint8Array.from(key)),
      putValues: batch.putValues.map((value) => Uint8Array.from(value)),
      deleteKeys: batch.deleteKeys.map((key) => Uint8Array.from(key)),
    }
    await this.commits.pass()
    this.#commitsAtOnce -= 1
    if (this.outcome !== 'committed') return this.outcome
    return await this.#store.commit(ownership, lsn, epoch, copied)
  }

  reclaim(): Promise<void> {
    return this.#store.reclaim()
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #assertReadable(): void {
    if (this.failsReads) throw new StoreError('IO', 'the disk does not answer')
  }
}
