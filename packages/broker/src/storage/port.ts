// The port: all that the pipeline knows of storage. One conformance suite runs against each
// implementation.

/** Proof of owning the partition, handed out by `open`. Every commit names it. */
export interface Ownership {
  /** How often this store has been opened (and skipped ahead by restores and token overflow). */
  readonly epoch: number
}

export interface Opened {
  readonly ownership: Ownership
  /** LSN of the last commit; 0 in a new store. */
  readonly lsn: number
  /** True if this `open` made the store. */
  readonly created: boolean
}

/**
 * One batch: each key at most once. The implementation adds epoch and LSN to it by itself. The bytes
 * belong to the caller again when `commit` returns its promise: what is kept must be copied.
 */
export interface Batch {
  /** Keys and values to write, in pairs of the same index. */
  readonly putKeys: readonly Uint8Array[]
  readonly putValues: readonly Uint8Array[]
  readonly deleteKeys: readonly Uint8Array[]
}

/**
 * `committed`: on stable storage. `fenced`: not applied, ownership lost. `unknown`: it may or may
 * not have been applied; the implementation refuses everything after it, and so must the caller.
 */
export type CommitOutcome = 'committed' | 'fenced' | 'unknown'

/** Keys from `from` (included) to `to` (excluded), in byte order. */
export interface KeyRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
  /** Descending order from the end of the range. */
  readonly reverse?: boolean
}

/**
 * Bytes that come out of a store may be Buffers, anywhere in a larger one: `slice` does not copy
 * them, and `buffer` holds others besides.
 */
export type Entry = readonly [key: Uint8Array, value: Uint8Array]

/** Asked again and again by who may need room on the disk: no ends it. */
export type RoomAsked = () => Promise<boolean>

export interface Store {
  /**
   * Takes ownership: the epoch grows by one and is durable before this resolves.
   * @throws {StoreError} with a sentence for the operator; nothing is left running.
   */
  open(): Promise<Opened>
  /**
   * Pages of entries in order, none of them empty, at most `pageSize` each; the last page is
   * followed by the end. They show what was committed when the first was asked for.
   */
  load(range: KeyRange, pageSize: number): AsyncIterable<readonly Entry[]>
  /**
   * Values in the order of the keys; undefined where there is none. Reads committed state. Calls
   * may end in another order than they were made. The bytes are the caller's own.
   * @throws {StoreError} CORRUPT or IO, for all the keys, even if only one cannot be read.
   */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  /**
   * Writes the batch as commit `lsn`, which must be one above the last, and syncs it. One at a
   * time. The buffers of the batch may be reused as soon as the promise is there.
   *
   * A failure never rejects: it is `unknown`, and from then on every commit is `unknown` and every
   * read rejects, until another store is opened. What rejects is a breach of this contract, with
   * an InvariantError.
   * @param epoch The epoch to record, not below the one recorded last: it grows when tokens
   *   overflow, and the next `open` goes on from it.
   */
  commit(ownership: Ownership, lsn: number, epoch: number, batch: Batch): Promise<CommitOutcome>
  /**
   * Gives back the space of what was deleted, as far as it can; commits and reads go on meanwhile.
   * One at a time. Needs room itself, and asks for it before each step: where that runs out, its
   * failure is as that of a commit. It ends early when it is told no, and when the store refuses or
   * is closed; the next call goes on from there.
   */
  reclaim(hasRoom: RoomAsked): Promise<void>
  /** Resolves when nothing runs any more. Safe before open, safe twice. */
  close(): Promise<void>
}

/** A store that cannot be opened or trusted. The message says what is wrong and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code:
    'LOCKED' | 'NEWER_FORMAT' | 'GAP' | 'CORRUPT' | 'MISSING' | 'UNSUPPORTED_FILESYSTEM' | 'IO'

  constructor(code: StoreError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
