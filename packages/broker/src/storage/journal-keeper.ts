// Keeps the journal bounded by age and bytes: whole segments go, oldest first.

import { limits } from '@tq/core'
import { journalKey } from './key.ts'
import type { KeyRange } from './port.ts'

export interface JournalLimits {
  /** Oldest record that is kept, in ms of the tick clock. */
  readonly ageMsMax: number
  readonly bytesMax: number
}

/** A record as far as keeping it is concerned. */
export interface JournalNote {
  readonly lsn: number
  readonly bytes: number
  readonly tickMs: number
}

interface Segment {
  readonly fromLsn: number
  /** First LSN after the segment. */
  toLsn: number
  bytes: number
  lastTickMs: number
}

const SEGMENT_BYTES_MAX = 1024 * 1024

export class JournalKeeper {
  readonly #limits: JournalLimits
  readonly #openedLsn: number
  /** What stood on disk at the start, as far as it has been looked at. */
  readonly #old: Segment[] = []
  readonly #new: Segment[] = []
  #bytes = 0
  /** The oldest LSN that is kept. */
  #fromLsn: number

  /** @param stored What the disk holds: records from `fromLsn` to `lsn`, the last commit. */
  constructor(
    journalLimits: JournalLimits,
    stored: { readonly fromLsn: number; readonly lsn: number },
  ) {
    this.#limits = journalLimits
    this.#fromLsn = stored.fromLsn
    this.#openedLsn = stored.lsn
  }

  get fromLsn(): number {
    return this.#fromLsn
  }

  /** Of the records that are known: those of this run, and older ones that were looked at. */
  get bytes(): number {
    return this.#bytes
  }

  /** Records of earlier runs: to be looked at once, beside the work, for their age and bytes. */
  get oldRange(): KeyRange {
    return { from: journalKey(this.#fromLsn), to: journalKey(this.#openedLsn + 1) }
  }

  /**
   * Notes a record of {@link oldRange}, in the order of their LSN. One that cannot be read has no
   * tick: it is taken to be as old as the one before it.
   */
  noteOld(record: Omit<JournalNote, 'tickMs'> & { readonly tickMs: number | undefined }): void {
    const last = this.#old.at(-1)
    const tickMs = record.tickMs ?? last?.lastTickMs ?? 0
    append(this.#old, { ...record, tickMs }, last?.toLsn ?? this.#fromLsn)
    this.#bytes += record.bytes
  }

  /** Notes a record of this run; records come in the order of their LSN. */
  note(record: JournalNote): void {
    append(this.#new, record, record.lsn)
    this.#bytes += record.bytes
  }

  /**
   * The LSNs that may go now, at most a thousand; the newest segment always stays, and so does what
   * has not been looked at, with all that follows it.
   */
  trim(tickMs: number): { readonly fromLsn: number; readonly toLsn: number } | undefined {
    const segments = this.#old.length > 0 ? this.#old : this.#new
    const oldest = segments[0]
    if (oldest?.fromLsn !== this.#fromLsn) return undefined
    if (this.#old.length + this.#new.length < 2) return undefined
    const isOld = tickMs - oldest.lastTickMs > this.#limits.ageMsMax
    if (!isOld && this.#bytes <= this.#limits.bytesMax) return undefined
    segments.shift()
    this.#bytes -= oldest.bytes
    this.#fromLsn = oldest.toLsn
    return { fromLsn: oldest.fromLsn, toLsn: oldest.toLsn }
  }
}

/** Adds a record to the last segment, or to a new one that begins at `fromLsn`. */
function append(segments: Segment[], record: JournalNote, fromLsn: number): void {
  const { lsn, bytes, tickMs } = record
  const last = segments.at(-1)
  const isFull =
    last === undefined ||
    last.bytes >= SEGMENT_BYTES_MAX ||
    last.toLsn - last.fromLsn >= limits.STEP_ITEMS_MAX
  if (isFull) {
    segments.push({ fromLsn, toLsn: lsn + 1, bytes, lastTickMs: tickMs })
    return
  }
  last.toLsn = lsn + 1
  last.bytes += bytes
  last.lastTickMs = tickMs
}
