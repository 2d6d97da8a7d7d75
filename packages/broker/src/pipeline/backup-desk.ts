// A backup while the broker works: all of the store as it was at one commit, pulled piece by piece.

import { limits, type ReplyOf, type RequestOf, type Timer } from '@tq/core'
import { BACKUP_VERSION, BackupWriter } from '../storage/backup-format.ts'
import { FORMAT_VERSION } from '../storage/head-record.ts'
import { ENGINE_KEY, FAMILIES, lsnOfJournalKey } from '../storage/key.ts'
import { type Entry, StoreError } from '../storage/port.ts'
import { decodeEngine } from '../storage/registry-record.ts'
import type { Conversation } from './conversation.ts'
import type { Partition } from './partition.ts'

/** Bytes of an answer: a quarter of a frame, so that other answers of the connection find room. */
export const BACKUP_BYTES_MAX: number = 1024 * 1024
/** How long nobody may ask: what a backup shows is kept by LevelDB for as long as it is open. */
export const BACKUP_IDLE_MS: number = 60_000
const PAGE_SIZE = 1_000
const RETRY_AFTER_MS = 5_000
const ALL = { from: Uint8Array.of(0), to: new Uint8Array(16).fill(0xff) }

type Answer = ReplyOf<'backup'>

/** The one backup that may be under way. */
interface Backup {
  readonly number: number
  readonly conversation: Conversation
  readonly pages: AsyncIterator<readonly Entry[]>
  readonly writer: BackupWriter
  /** Bytes of the file that nobody has had yet. */
  ready: Uint8Array[]
  readyBytes: number
  entries: number
  lsn: number
  epoch: number
  isEnded: boolean
  isBusy: boolean
  /** How often bytes were given; the cursor names it. */
  turn: number
  /** Given once more if it is asked for once more. */
  last: Answer | undefined
  idle: Timer | undefined
}

export class BackupDesk {
  readonly #partition: Partition
  readonly #options: { readonly version: string; readonly storeId: string }
  #backup: Backup | undefined
  #count = 0

  constructor(
    partition: Partition,
    options: { readonly version: string; readonly storeId: string },
  ) {
    this.#partition = partition
    this.#options = options
  }

  answer(conversation: Conversation, id: number, { cursor }: RequestOf<'backup'>): void {
    if (cursor === undefined) {
      this.#begin(conversation, id)
      return
    }
    const backup = this.#backup
    if (backup === undefined || backup.conversation !== conversation || backup.isBusy) {
      this.#refuseCursor(conversation, id, backup)
    } else if (cursor === cursorOf(backup, backup.turn)) {
      this.#give(backup, id)
    } else if (cursor === cursorOf(backup, backup.turn - 1) && backup.last !== undefined) {
      conversation.reply(id, backup.last, 0)
    } else {
      this.#refuseCursor(conversation, id, undefined)
    }
  }

  leave(conversation: Conversation): void {
    if (this.#backup?.conversation === conversation) this.#drop(this.#backup)
  }

  close(): void {
    if (this.#backup !== undefined) this.#drop(this.#backup)
  }

  #begin(conversation: Conversation, id: number): void {
    const before = this.#backup
    if (before !== undefined && before.conversation !== conversation) {
      const text = 'another backup is under way; there is one at a time'
      conversation.refuse(id, 'RESOURCE_EXHAUSTED', text, { retryAfterMs: RETRY_AFTER_MS })
      return
    }
    // Who begins anew has given up the one before.
    if (before !== undefined) this.#drop(before)
    this.#count += 1
    const { store, epoch } = this.#partition
    const writer = new BackupWriter()
    const header = writer.header({
      backupVersion: BACKUP_VERSION,
      formatVersion: FORMAT_VERSION,
      ...this.#options,
      atMs: this.#partition.now().wallMs,
    })
    this.#backup = {
      number: this.#count,
      conversation,
      pages: store.load(ALL, PAGE_SIZE)[Symbol.asyncIterator](),
      writer,
      ready: [header],
      readyBytes: header.length,
      entries: 0,
      lsn: 0,
      epoch,
      isEnded: false,
      isBusy: false,
      turn: 0,
      last: undefined,
      idle: undefined,
    }
    this.#give(this.#backup, id)
  }

  #give(backup: Backup, id: number): void {
    const { conversation } = backup
    backup.isBusy = true
    backup.idle?.cancel()
    void fill(backup).then(
      () => {
        backup.isBusy = false
        if (this.#backup !== backup) return
        const answer = take(backup)
        conversation.reply(id, answer, 0)
        this.#waitOn(backup)
      },
      (error: unknown) => {
        this.#drop(backup)
        this.#refuseUnreadable(conversation, id, error)
      },
    )
  }

  #waitOn(backup: Backup): void {
    const { scheduler } = this.#partition.world
    backup.idle = scheduler.after(BACKUP_IDLE_MS, () => this.#drop(backup))
  }

  #drop(backup: Backup): void {
    backup.idle?.cancel()
    if (this.#backup === backup) this.#backup = undefined
    // A page that is being read ends first. How reading ends is of no interest any more.
    void backup.pages.return?.().catch(() => undefined)
  }

  /** What is damaged stays so; a store that refuses is gone in a moment, and the broker with it. */
  #refuseUnreadable(conversation: Conversation, id: number, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error)
    const text = `the store cannot be read, so it cannot be backed up: ${why}`
    const isPassing = error instanceof StoreError && error.code === 'IO'
    if (isPassing) conversation.refuse(id, 'UNAVAILABLE', text, { retryAfterMs: RETRY_AFTER_MS })
    else conversation.refuse(id, 'INTERNAL', text)
  }

  #refuseCursor(conversation: Conversation, id: number, backup: Backup | undefined): void {
    if (backup?.conversation === conversation) {
      conversation.refuse(id, 'CONFLICT', 'a backup answers one request at a time')
      return
    }
    const text = `no backup of this connection has this cursor: it has ended, or nobody asked for ${BACKUP_IDLE_MS / 1_000} s`
    conversation.refuse(id, 'NOT_FOUND', text)
  }
}

/** Reads on until an answer is full, or all is read. */
async function fill(backup: Backup): Promise<void> {
  while (!backup.isEnded && backup.readyBytes < BACKUP_BYTES_MAX) {
    const page = await backup.pages.next()
    if (page.done === true) {
      backup.isEnded = true
      add(backup, backup.writer.footer(backup))
      return
    }
    for (const entry of page.value) note(backup, entry)
    add(backup, backup.writer.chunk(page.value))
  }
}

/** The last record of the journal tells the commit that all of this is of. */
function note(backup: Backup, [key, value]: Entry): void {
  backup.entries += 1
  if (key[0] === FAMILIES.journal) backup.lsn = lsnOfJournalKey(key)
  if (key[0] !== FAMILIES.meta || Buffer.compare(key, ENGINE_KEY) !== 0) return
  const { lastToken } = decodeEngine(key, value)
  backup.epoch = Math.max(backup.epoch, Math.floor(lastToken / limits.TOKENS_PER_EPOCH))
}

function add(backup: Backup, bytes: Uint8Array): void {
  backup.ready.push(bytes)
  backup.readyBytes += bytes.length
}

/** The next bytes of the file, at most as many as an answer may have. */
function take(backup: Backup): Answer {
  const all = Buffer.concat(backup.ready)
  const bytes = new Uint8Array(all.subarray(0, BACKUP_BYTES_MAX))
  const rest = all.subarray(bytes.length)
  backup.ready = rest.length === 0 ? [] : [rest]
  backup.readyBytes = rest.length
  backup.turn += 1
  const isLast = backup.isEnded && rest.length === 0
  const { entries, lsn } = backup
  const cursor = isLast ? null : cursorOf(backup, backup.turn)
  backup.last = { bytes, cursor, entries, ...(isLast ? { lsn } : {}) }
  return backup.last
}

function cursorOf({ number }: Backup, turn: number): string {
  return `${number}-${turn}`
}
