// A store in memory: nothing outlives the process, everything else is as the port says.

import { invariant } from '@tq/core'
import { MemoryImage } from './memory-image.ts'
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

export class MemoryStore implements Store {
  readonly #image: MemoryImage
  #state: 'new' | 'open' | 'closed' = 'new'

  /** Another store on the same image stands for another start on the same disk. */
  constructor(image: MemoryImage = new MemoryImage()) {
    this.#image = image
  }

  async open(): Promise<Opened> {
    invariant(this.#state === 'new', 'a store is opened once')
    this.#state = 'open'
    return this.#image.takeOwnership()
  }

  async *load(range: KeyRange, pageSize: number): AsyncGenerator<readonly Entry[]> {
    this.#assertReadable()
    for (const page of pagesOf(this.#image.entries(range), pageSize)) {
      this.#assertReadable()
      yield page
    }
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#assertReadable()
    return keys.map((key) => this.#image.get(key))
  }

  async commit(
    ownership: Ownership,
    lsn: number,
    epoch: number,
    batch: Batch,
  ): Promise<CommitOutcome> {
    if (this.#state !== 'open') return 'unknown'
    if (!this.#image.isOwnedBy(ownership)) return 'fenced'
    return this.#image.apply(ownership, this.#image.prepare(lsn, epoch, batch))
  }

  /** What is deleted is gone at once. */
  async reclaim(): Promise<void> {}

  async close(): Promise<void> {
    this.#state = 'closed'
  }

  #assertReadable(): void {
    if (this.#state !== 'open') throw new StoreError('IO', `the store is ${this.#state}, not open`)
  }
}

/** Cuts a run of entries into pages; none of them is empty. */
export function* pagesOf(entries: Iterable<Entry>, pageSize: number): Generator<Entry[]> {
  let page: Entry[] = []
  for (const entry of entries) {
    page.push(entry)
    if (page.length < pageSize) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
