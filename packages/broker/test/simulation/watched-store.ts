// A store that tells the chronicle what is asked of it and what became durable.

import { FAMILIES } from '../../src/storage/key.ts'
import type {
  Batch,
  CommitOutcome,
  Entry,
  KeyRange,
  Opened,
  Ownership,
  RoomAsked,
  Store,
} from '../../src/storage/port.ts'
import type { Chronicle } from './chronicle.ts'
import type { DamagedDisk } from './damaged-disk.ts'
import type { Trace } from './trace.ts'

export interface Watchers {
  readonly chronicle: Chronicle
  readonly trace: Trace
  /** Only where a start may find it damaged. */
  readonly disk: DamagedDisk | undefined
  readonly onCommit: () => void
}

export class WatchedStore implements Store {
  readonly #inner: Store
  readonly #watchers: Watchers

  constructor(inner: Store, watchers: Watchers) {
    this.#inner = inner
    this.#watchers = watchers
  }

  open(): Promise<Opened> {
    return this.#inner.open()
  }

  load(range: KeyRange, pageSize: number): AsyncIterable<readonly Entry[]> {
    return this.#inner.load(range, pageSize)
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    if (keys[0]?.[0] === FAMILIES.payload)
      this.#watchers.trace.reach('payloads were read from disk')
    return this.#inner.getMany(keys)
  }

  async commit(
    ownership: Ownership,
    lsn: number,
    epoch: number,
    batch: Batch,
  ): Promise<CommitOutcome> {
    const { chronicle, trace, disk, onCommit } = this.#watchers
    chronicle.committing(lsn, batch)
    const recent = disk?.noted(ownership, lsn, epoch, batch)
    onCommit()
    const outcome = await this.#inner.commit(ownership, lsn, epoch, batch)
    if (outcome === 'committed') {
      if (recent !== undefined) disk?.landed(recent)
      chronicle.landed(lsn)
    } else trace.note('store', `commit ${lsn} ends as ${outcome}`)
    return outcome
  }

  reclaim(hasRoom: RoomAsked): Promise<void> {
    return this.#inner.reclaim(hasRoom)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
