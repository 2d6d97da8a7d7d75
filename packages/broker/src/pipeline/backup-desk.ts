// A backup while the broker works: all of the store as it was at one commit, pulled piece by piece.

import { limits, type ReplyOf, type RequestOf, type Timer } from '@tq/core'
import { flawOf } from '../storage/backup-entry.ts'
import { BACKUP_VERSION, BackupWriter } from '../storage/backup-format.ts'
import { FORMAT_VERSION } from '../storage/head-record.ts'
import { ENGINE_KEY, FAMILIES, lsnOfJournalKey } from '../storage/key.ts'
import { type Entry, StoreError } from '../storage/port.ts'
import { decodeEngine } from '../storage/registry-record.ts'
import { CorruptRecordError, isDamage } from '../storage/sealed.ts'
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

/** The one backup that may be under way, or the last piece of the one that was. */
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
  /** All is read. */
  isEnded: boolean
  /** All is given: it keeps nothing but that answer, and nobody has to wait for it. */
  isOver: boolean
  /** The request that waits for its answer. */
  pending: number | undefined
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
    if (backup === undefined || backup.conversation !== conversation) {
      refuseCursor(conversation, id)
    } else if (backup.pending !== undefined) {
      conversation.refuse(id, 'CONFLICT', 'a backup answers one request at a time')
    } else if (cursor === cursorOf(backup, backup.turn) && !backup.isOver) {
      this.#give(backup, id)
    } else if (cursor === cursorOf(backup, backup.turn - 1) && backup.last !== undefined) {
      conversation.reply(id, backup.last, 0)
      this.#waitOn(backup)
    } else {
      refuseCursor(conversation, id)
    }
  }

  /** Nobody is there any more to hear an answer. */
  leave(conversation: Conversation): void {
    if (this.#backup?.conversation === conversation) this.#drop(this.#backup)
  }

  /** At once: a stop waits for every answer, and not for a disk that takes its time. */
  close(): void {
    const backup = this.#backup
    if (backup === undefined) return
    const id = this.#drop(backup)
    if (id === undefined) return
    const details = { retryAfterMs: RETRY_AFTER_MS }
    backup.conversation.refuse(id, 'UNAVAILABLE', 'the broker is stopping', details)
  }

  #begin(conversation: Conversation, id: number): void {
    const before = this.#backup
    if (before !== undefined && before.conversation !== conversation && !before.isOver) {
      const text = 'another backup is under way; there is one at a time'
      conversation.refuse(id, 'RESOURCE_EXHAUSTED', text, { retryAfterMs: RETRY_AFTER_MS })
      return
    }
    // Who begins anew has given up the one before, and what was asked of it.
    const stale = before === undefined ? undefined : this.#drop(before)
    if (stale !== undefined) conversation.refuse(stale, 'CONFLICT', 'the backup was begun anew')
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
      isOver: false,
      pending: undefined,
      turn: 0,
      last: undefined,
      idle: undefined,
    }
    this.#give(this.#backup, id)
  }

  #give(backup: Backup, id: number): void {
    const { conversation } = backup
    backup.pending = id
    backup.idle?.cancel()
    void fill(backup).then(
      () => {
        // Whoever dropped it meanwhile has answered, if there was anybody to answer.
        if (this.#backup !== backup) return
        backup.pending = undefined
        conversation.reply(id, take(backup), 0)
        this.#waitOn(backup)
      },
      (error: unknown) => {
        if (this.#backup !== backup) return
        this.#drop(backup)
        refuseUnreadable(conversation, id, error)
      },
    )
  }

  #waitOn(backup: Backup): void {
    const { scheduler } = this.#partition.world
    backup.idle?.cancel()
    backup.idle = scheduler.after(BACKUP_IDLE_MS, () => this.#drop(backup))
  }

  /** Gives the request that is now to be answered, if there is one. */
  #drop(backup: Backup): number | undefined {
    backup.idle?.cancel()
    if (this.#backup === backup) this.#backup = undefined
    // A page that is being read ends first. How reading ends is of no interest any more.
    void backup.pages.return?.().catch(() => undefined)
    const { pending } = backup
    backup.pending = undefined
    return pending
  }
}

/** What is damaged stays so; a store that refuses is gone in a moment, and the broker with it. */
function refuseUnreadable(conversation: Conversation, id: number, error: unknown): void {
  const why = error instanceof Error ? error.message : String(error)
  if (isDamage(error)) {
    const text =
      `the store is damaged, so it cannot be backed up: ${why}. Keep the backups that you have; ` +
      'stop the broker, and see with "tq-admin store check" what else is wrong.'
    conversation.refuse(id, 'INTERNAL', text)
    return
  }
  const text = `the store cannot be read, so it cannot be backed up: ${why}`
  const isPassing = error instanceof StoreError && error.code === 'IO'
  if (isPassing) conversation.refuse(id, 'UNAVAILABLE', text, { retryAfterMs: RETRY_AFTER_MS })
  else conversation.refuse(id, 'INTERNAL', text)
}

function refuseCursor(conversation: Conversation, id: number): void {
  const text =
    'no backup of this connection has this cursor: it has ended, or nobody asked for ' +
    `${BACKUP_IDLE_MS / 1_000} s`
  conversation.refuse(id, 'NOT_FOUND', text)
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

/**
 * The last record of the journal tells the commit that all of this is of. Damage is found on its
 * day: a backup that carried it on would push out the last good one.
 */
function note(backup: Backup, entry: Entry): void {
  const flaw = flawOf(entry)
  if (flaw !== undefined) throw new CorruptRecordError(flaw)
  const [key, value] = entry
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
  backup.isOver = isLast
  const { entries, lsn } = backup
  const cursor = isLast ? null : cursorOf(backup, backup.turn)
  backup.last = { bytes, cursor, entries, ...(isLast ? { lsn } : {}) }
  return backup.last
}

function cursorOf({ number }: Backup, turn: number): string {
  return `${number}-${turn}`
}
