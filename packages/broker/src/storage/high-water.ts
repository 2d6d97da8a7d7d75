// The high-water mark: evidence, kept outside LevelDB, of how far the store had come.

import { invariant, type Scheduler, type Timer } from '@tq/core'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checkCommand } from './advice.ts'
import { isMissing, writeDurably } from './durable-file.ts'
import { decodeHead, encodeHead, HEAD_BYTES, type Head } from './head-record.ts'
import { StoreError } from './port.ts'

/** How long a commit may go unmarked, in ms: what is lost later than this may go unnoticed. */
export const MARK_INTERVAL_MS = 1_000
/** How many commits may go unmarked. */
export const MARK_COMMITS_MAX = 1_000
/** Bytes between the two slots: a torn write of one cannot reach the page of the other. */
const SLOT_BYTES = 4_096
/** What the checksum of a slot is bound to, so that no other record passes for one. */
const SLOT_KEY = new TextEncoder().encode('high-water')

export interface HighWaterOptions {
  readonly scheduler: Scheduler
  /** Called at most once, when a mark could not be made durable; nothing is marked after it. */
  readonly onFailure: (error: unknown) => void
}

/**
 * LevelDB drops damaged records of its log without an error. A store that is behind its mark has
 * lost acknowledged commits. Two slots are written in turn, off the path of the commits; each
 * mark is of a commit that is durable already. What the mark cannot see is the tail after it: at
 * most {@link MARK_INTERVAL_MS} and {@link MARK_COMMITS_MAX} commits.
 */
export class HighWater {
  readonly #path: string
  readonly #options: HighWaterOptions
  #isOpen = false
  /** Undefined until there is a file. */
  #file: FileHandle | undefined
  #nextSlot = 0
  #latest: Head | undefined
  #unmarkedCount = 0
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #state: 'working' | 'failed' | 'closed' = 'working'

  constructor(path: string, options: HighWaterOptions) {
    this.#path = path
    this.#options = options
  }

  /**
   * The mark that was left; undefined if there is no file. The first mark will make it.
   * @throws {StoreError} CORRUPT if there is a file without a readable mark.
   */
  async open(): Promise<Head | undefined> {
    const file = await openIfAny(this.#path)
    this.#isOpen = true
    this.#file = file
    // An empty file is written in place: only what is not there is made by a rename.
    if (file === undefined || (await file.stat()).size === 0) return undefined
    const slots = [await readSlot(file, 0), await readSlot(file, 1)] as const
    const marks = slots.filter((slot) => slot !== undefined)
    if (marks.length === 0) throw unreadable(this.#path)
    const newest = marks.reduce((one, other) => (isAhead(other, one) ? other : one))
    // The newest mark stays where it is until the next one is safe in the other slot.
    this.#nextSlot = slots[0] === newest ? 1 : 0
    return newest
  }

  /** Makes the mark durable before it resolves; for start-up. */
  async set(head: Head): Promise<void> {
    invariant(this.#writing === undefined, 'one mark is written at a time')
    this.#latest = head
    await this.#write(head)
  }

  /** A commit is durable. Costs next to nothing: the mark follows later. */
  note(head: Head): void {
    if (this.#state !== 'working') return
    this.#latest = head
    this.#unmarkedCount += 1
    this.#markWhenDue()
  }

  /** Marks what is not marked yet. Safe before open, safe twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#state === 'working') this.#state = 'closed'
    this.#timer?.cancel()
    await this.#writing
    if (this.#state === 'closed' && this.#unmarkedCount > 0) {
      // If this fails, the mark that stands is older, but true: the close has not failed.
      await this.#write(this.#newest()).catch(() => {})
    }
    await this.#file?.close()
  }

  #markWhenDue(): void {
    if (this.#writing !== undefined || this.#unmarkedCount === 0) return
    if (this.#unmarkedCount >= MARK_COMMITS_MAX) return this.#mark()
    this.#timer ??= this.#options.scheduler.after(MARK_INTERVAL_MS, () => this.#mark())
  }

  #mark(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#writing = this.#write(this.#newest())
      .catch((error: unknown) => {
        this.#unmarkedCount = 0
        if (this.#state === 'closed') return
        this.#state = 'failed'
        this.#options.onFailure(error)
      })
      .finally(() => {
        this.#writing = undefined
        if (this.#state === 'working') this.#markWhenDue()
      })
  }

  async #write(head: Head): Promise<void> {
    invariant(this.#isOpen, 'the high-water mark is open')
    this.#unmarkedCount = 0
    const bytes = encodeHead(SLOT_KEY, head)
    const file = this.#file
    if (file === undefined) return this.#begin(bytes)
    const { bytesWritten } = await file.write(bytes, 0, HEAD_BYTES, this.#nextSlot * SLOT_BYTES)
    if (bytesWritten !== HEAD_BYTES) throw new Error(`${this.#path}: the disk took half a mark`)
    await file.datasync()
    this.#nextSlot = 1 - this.#nextSlot
  }

  /** The first mark comes with its file: half of it, and nothing else, would stop the next start. */
  async #begin(bytes: Uint8Array): Promise<void> {
    await writeDurably(this.#path, bytes)
    this.#file = await open(this.#path, 'r+')
    this.#nextSlot = 1
  }

  #newest(): Head {
    invariant(this.#latest !== undefined, 'there is something to mark')
    return this.#latest
  }
}

/** True if `one` shows that the store had come further than `other` does. */
export function isAhead(
  one: Pick<Head, 'epoch' | 'lsn'>,
  other: Pick<Head, 'epoch' | 'lsn'>,
): boolean {
  return one.epoch > other.epoch || one.lsn > other.lsn
}

/**
 * The mark that a store was left with, read and nothing else; undefined if there is no file, or an
 * empty one. @throws {StoreError} CORRUPT if there is a file without a readable mark.
 */
export async function readMark(path: string): Promise<Head | undefined> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (isMissing(error)) return new Uint8Array(0)
    throw error
  })
  if (bytes.length === 0) return undefined
  const marks = [0, 1].flatMap((slot) => {
    const at = slot * SLOT_BYTES
    const reading = decodeHead(SLOT_KEY, bytes.subarray(at, at + HEAD_BYTES))
    return reading.kind === 'head' ? [reading.head] : []
  })
  if (marks.length === 0) throw unreadable(path)
  return marks.reduce((one, other) => (isAhead(other, one) ? other : one))
}

async function openIfAny(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r+').catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
}

async function readSlot(file: FileHandle, slot: number): Promise<Head | undefined> {
  const bytes = new Uint8Array(HEAD_BYTES)
  const { bytesRead } = await file.read(bytes, 0, HEAD_BYTES, slot * SLOT_BYTES)
  const reading = decodeHead(SLOT_KEY, bytes.subarray(0, bytesRead))
  return reading.kind === 'head' ? reading.head : undefined
}

function unreadable(path: string): StoreError {
  return new StoreError(
    'CORRUPT',
    `${path} holds no readable mark, so nothing shows whether the store is complete. If ` +
      `"${checkCommand(dirname(path))}" finds nothing else, delete ${path} and start again.`,
  )
}
