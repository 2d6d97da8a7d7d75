// What a disk would hold, in memory: it outlives the stores that are opened on it.

import { invariant } from '@tq/core'
import { HEAD_KEY } from './head-record.ts'
import { OrderedEntries } from './ordered-entries.ts'
import {
  type Batch,
  type CommitOutcome,
  type Entry,
  type KeyRange,
  type Opened,
  type Ownership,
  StoreError,
} from './port.ts'

/** A commit that has been checked, with bytes of its own: the caller may reuse its buffers. */
export interface PreparedCommit {
  readonly lsn: number
  readonly epoch: number
  readonly puts: readonly Entry[]
  readonly deleteKeys: readonly Uint8Array[]
}

export class MemoryImage {
  #entries = new OrderedEntries()
  #epoch = 0
  #lsn = 0
  /** The epoch at which it was last opened; any other ownership is fenced. */
  #ownerEpoch = 0
  /** What the high-water mark beside a real store remembers: see {@link mark}. */
  #markedLsn = 0

  /** A copy that shares nothing: what the disk would hold if all stopped here. */
  fork(): MemoryImage {
    const copy = new MemoryImage()
    copy.#entries = this.#entries.snapshot()
    copy.#epoch = this.#epoch
    copy.#lsn = this.#lsn
    copy.#ownerEpoch = this.#ownerEpoch
    copy.#markedLsn = this.#markedLsn
    return copy
  }

  /** From now on the image is not opened if it ends before this commit: what it held is lost. */
  mark(lsn: number): void {
    this.#markedLsn = lsn
  }

  /** @throws {StoreError} GAP if it ends before its mark. */
  takeOwnership(): Opened {
    if (this.#lsn < this.#markedLsn) {
      const had = `the store ends at commit ${this.#lsn}, but had come to ${this.#markedLsn}`
      throw new StoreError('GAP', `${had}: acknowledged work is lost`)
    }
    const created = this.#epoch === 0
    this.#epoch += 1
    this.#ownerEpoch = this.#epoch
    return { ownership: { epoch: this.#epoch }, lsn: this.#lsn, created }
  }

  isOwnedBy(ownership: Ownership): boolean {
    return ownership.epoch === this.#ownerEpoch
  }

  /** Checks what a commit must hold to; a breach is a bug of the caller. */
  prepare(lsn: number, epoch: number, batch: Batch): PreparedCommit {
    invariant(lsn === this.#lsn + 1, `commit ${lsn} follows commit ${this.#lsn}`)
    invariant(epoch >= this.#epoch, `epoch ${epoch} is not below ${this.#epoch}`)
    invariant(batch.putKeys.length === batch.putValues.length, 'each key has a value')
    const puts: Entry[] = []
    for (const [index, key] of batch.putKeys.entries()) {
      const value = batch.putValues[index]
      invariant(value !== undefined, 'each key has a value')
      puts.push([new Uint8Array(key), new Uint8Array(value)])
    }
    const deleteKeys = batch.deleteKeys.map((key) => new Uint8Array(key))
    assertCanonical(batch)
    return { lsn, epoch, puts, deleteKeys }
  }

  /** All of it or, if the ownership is lost, nothing. */
  apply(ownership: Ownership, commit: PreparedCommit): CommitOutcome {
    if (!this.isOwnedBy(ownership)) return 'fenced'
    for (const [key, value] of commit.puts) this.#entries.set(key, value)
    for (const key of commit.deleteKeys) this.#entries.delete(key)
    this.#lsn = commit.lsn
    this.#epoch = commit.epoch
    return 'committed'
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#entries.get(key)
    return value === undefined ? undefined : copyOf(value)
  }

  /** The entries of a range as they are now, whatever is committed while they are read. */
  *entries(range: KeyRange): Generator<Entry> {
    for (const [key, value] of this.#entries.entries(range)) yield [copyOf(key), copyOf(value)]
  }

  /**
   * The stored value itself, for checks that only look: while nothing is written under the key, it
   * is the same object.
   */
  peek(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(key)
  }

  /** The stored entries themselves, for checks that only look. */
  peekEntries(range: KeyRange): readonly Entry[] {
    return this.#entries.entries(range)
  }

  /** Replaces a stored value behind everybody's back, as a failing disk does. */
  tamper(key: Uint8Array, value: Uint8Array): void {
    invariant(this.#entries.get(key) !== undefined, 'only what is stored can be damaged')
    this.#entries.set(new Uint8Array(key), new Uint8Array(value))
  }
}

/**
 * A Buffer out of its pool, as LevelDB gives Buffers: whoever takes `slice` for a copy or `buffer`
 * for the bytes is found out here, too.
 */
function copyOf(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes)
}

function assertCanonical(batch: Batch): void {
  const seen = new Set<string>([latin1(HEAD_KEY)])
  for (const key of [...batch.putKeys, ...batch.deleteKeys]) {
    invariant(key.length > 0, 'a key is not empty')
    const text = latin1(key)
    invariant(!seen.has(text), 'a batch holds each key at most once, and never that of the head')
    seen.add(text)
  }
}

/** One character a byte: equal texts are equal keys. */
function latin1(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
