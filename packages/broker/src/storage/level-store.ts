// The store on LevelDB: one process, one directory, every commit synced.

import { invariant, systemRandom, systemScheduler, type Random, type Scheduler } from '@tq/core'
import { encodeHead, HEAD_KEY, type Head } from './head-record.ts'
import type { LevelTuning } from './level-options.ts'
import { LevelSpace } from './level-space.ts'
import {
  StoreError,
  type Batch,
  type CommitOutcome,
  type Entry,
  type KeyRange,
  type Opened,
  type Ownership,
  type RoomAsked,
  type Store,
} from './port.ts'
import { openDirectory, type OpenedDirectory, type OpeningStep } from './store-opening.ts'
import type { Level } from './store-verification.ts'

/** Most bytes of a page of `load`, about; a page may then hold fewer entries than asked for. */
const PAGE_BYTES_MAX = 1024 * 1024
const FIRST_KEY = Uint8Array.of(0x00)
const AFTER_LAST_KEY = new Uint8Array(16).fill(0xff)

export interface LevelStoreOptions {
  /** The data directory; made if it does not exist. LevelDB has the folder `store` in it. */
  readonly directory: string
  /**
   * Called once if the store can no longer be trusted for another reason than a commit: its
   * high-water mark could not be written. It refuses everything from then on, as after `unknown`;
   * the owner ends the process.
   */
  readonly onFailure: (error: StoreError) => void
  /** Awaited before each step of opening; from `open` on, the data directory is locked. */
  readonly onStep?: (step: OpeningStep) => void | Promise<void>
  /** Awaited when the opening is refused, while the data directory is still locked. */
  readonly onRefused?: () => Promise<void>
  /** Opens a data directory on a network's file system too. Its locks must hold. */
  readonly allowAnyFilesystem?: boolean
  /** What an operator chose for LevelDB; without it, what was measured best. */
  readonly tuning?: LevelTuning
  readonly scheduler?: Scheduler
  readonly random?: Random
}

export class LevelStore implements Store {
  readonly #options: LevelStoreOptions
  #opening: Promise<Opened> | undefined
  #closing: Promise<void> | undefined
  #directory: OpenedDirectory | undefined
  #ownership: Ownership | undefined
  #head: Head | undefined
  #committing: Promise<unknown> | undefined
  #space: LevelSpace | undefined
  #reclaiming: Promise<void> | undefined
  /** Why nothing is accepted any more. */
  #refusal: string | undefined = 'it is not open'

  constructor(options: LevelStoreOptions) {
    this.#options = options
  }

  open(): Promise<Opened> {
    invariant(this.#opening === undefined, 'a store is opened once')
    invariant(this.#closing === undefined, 'a closed store is not opened')
    this.#opening = this.#open()
    return this.#opening
  }

  async *load(range: KeyRange, pageSize: number): AsyncGenerator<readonly Entry[]> {
    const iterator = this.#readable().iterator({
      gte: range.from,
      lt: range.to,
      reverse: range.reverse ?? false,
      // A scan would push out of the cache what is read by key.
      fillCache: false,
      highWaterMarkBytes: PAGE_BYTES_MAX,
    })
    try {
      for (;;) {
        const page = await iterator.nextv(pageSize).catch(refuseRead)
        this.#readable()
        if (page.length === 0) return
        const shown = page.filter(([key]) => !isHeadKey(key))
        if (shown.length > 0) yield shown
      }
    } finally {
      await iterator.close()
    }
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const level = this.#readable()
    const values = await level.getMany([...keys], { fillCache: true }).catch(refuseRead)
    this.#readable()
    return values
  }

  async commit(
    ownership: Ownership,
    lsn: number,
    epoch: number,
    batch: Batch,
  ): Promise<CommitOutcome> {
    if (this.#refusal !== undefined) return 'unknown'
    const { directory, head } = this.#opened()
    if (ownership.epoch !== this.#ownership?.epoch) return 'fenced'
    invariant(this.#committing === undefined, 'one commit at a time')
    invariant(lsn === head.lsn + 1, `commit ${lsn} follows commit ${head.lsn}`)
    invariant(epoch >= head.epoch, `epoch ${epoch} is not below ${head.epoch}`)
    invariant(batch.putKeys.length === batch.putValues.length, 'each key has a value')
    const next: Head = { storeId: head.storeId, epoch, lsn }
    try {
      this.#committing = write(directory.level, batch, next)
      await this.#committing
    } catch (error) {
      this.#refusal = `commit ${lsn} failed and may or may not be stored: ${messageOf(error)}`
      return 'unknown'
    } finally {
      this.#committing = undefined
    }
    this.#head = next
    directory.highWater.note(next)
    return 'committed'
  }

  async reclaim(hasRoom: RoomAsked): Promise<void> {
    if (this.#refusal !== undefined) return
    invariant(this.#reclaiming === undefined, 'one reclaim at a time')
    this.#space ??= new LevelSpace(this.#opened().directory.level)
    const mayGoOn = async (): Promise<boolean> => (await hasRoom()) && this.#refusal === undefined
    // LevelDB keeps a failure to itself, and refuses the next write for it.
    this.#reclaiming = this.#space.reclaim(mayGoOn)
    try {
      await this.#reclaiming
    } finally {
      this.#reclaiming = undefined
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Why nothing is accepted, for the log; undefined while the store is open and works. */
  get refusal(): string | undefined {
    return this.#refusal
  }

  /** What the open store is known by, in hex. */
  get storeId(): string {
    return Buffer.from(this.#opened().head.storeId).toString('hex')
  }

  /** Bytes that the store takes on disk, about: what is in the log only does not count. */
  async sizeBytes(): Promise<number> {
    return await this.#readable().approximateSize(FIRST_KEY, AFTER_LAST_KEY)
  }

  async #open(): Promise<Opened> {
    const { directory, onStep, onRefused, allowAnyFilesystem, tuning, scheduler, random } =
      this.#options
    const opened = await openDirectory({
      directory,
      allowAnyFilesystem: allowAnyFilesystem ?? false,
      tuning,
      scheduler: scheduler ?? systemScheduler,
      random: random ?? systemRandom,
      onStep: onStep ?? (() => {}),
      onRefused: onRefused ?? (() => Promise.resolve()),
      onMarkFailure: (error) => this.#onMarkFailure(error),
    }).catch((error: unknown) => {
      throw asStoreError(directory, error)
    })
    this.#directory = opened
    this.#head = opened.head
    this.#ownership = { epoch: opened.head.epoch }
    this.#refusal = undefined
    return { ownership: this.#ownership, lsn: opened.head.lsn, created: opened.created }
  }

  async #close(): Promise<void> {
    // Whoever opens and commits hears of its failure; here only its end matters.
    await this.#opening?.catch(() => {})
    this.#refusal ??= 'it is closed'
    await this.#committing?.catch(() => {})
    await this.#reclaiming?.catch(() => {})
    try {
      await this.#directory?.highWater.close()
      await this.#directory?.level.close()
    } finally {
      await this.#directory?.lock.release()
    }
  }

  #onMarkFailure(error: unknown): void {
    const reason = `its high-water mark could not be written: ${messageOf(error)}`
    this.#refusal ??= reason
    this.#options.onFailure(
      new StoreError('IO', `the store in ${this.#options.directory} is given up: ${reason}`, error),
    )
  }

  #readable(): Level {
    if (this.#refusal === undefined) return this.#opened().directory.level
    const { directory } = this.#options
    throw new StoreError('IO', `the store in ${directory} is not read: ${this.#refusal}`)
  }

  #opened(): { readonly directory: OpenedDirectory; readonly head: Head } {
    invariant(this.#directory !== undefined, 'an open store has a directory')
    invariant(this.#head !== undefined, 'an open store has a head')
    return { directory: this.#directory, head: this.#head }
  }
}

/** LevelDB has copied keys and values before this returns its promise. */
async function write(level: Level, batch: Batch, head: Head): Promise<void> {
  const chained = level.batch()
  const { putKeys, putValues, deleteKeys } = batch
  for (let index = 0; index < putKeys.length; index += 1) {
    chained.put(putKeys[index] as Uint8Array, putValues[index] as Uint8Array)
  }
  for (const key of deleteKeys) chained.del(key)
  chained.put(HEAD_KEY, encodeHead(HEAD_KEY, head))
  await chained.write({ sync: true })
}

function isHeadKey(key: Uint8Array): boolean {
  return key[0] === HEAD_KEY[0] && Buffer.compare(key, HEAD_KEY) === 0
}

function refuseRead(error: unknown): never {
  const isCorrupt = error instanceof Error && 'code' in error && error.code === 'LEVEL_CORRUPTION'
  throw new StoreError(isCorrupt ? 'CORRUPT' : 'IO', `LevelDB: ${messageOf(error)}`, error)
}

function asStoreError(directory: string, error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error
  if (error.name === 'InvariantError') return error
  return new StoreError(
    'IO',
    `cannot open the data directory ${directory}: ${error.message}`,
    error,
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
