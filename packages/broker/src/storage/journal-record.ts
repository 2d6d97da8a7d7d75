// The journal: the facts of one commit, without payload bytes. For events, audit and gap detection.

import { REASONS, TASK_STATES, type TaskError } from '@tq/core'
import { type AttemptRecord, type EndedTask, type Fact, FACT_KINDS } from '../engine/fact.ts'
import { hexOf } from '../engine/held.ts'
import { NO_ROW, type Row } from '../engine/rows.ts'
import type { EngineState } from '../engine/state.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter, textBytesMax } from './byte-writer.ts'
import { seal, SEAL_BYTES, unseal } from './sealed.ts'

export const JOURNAL_RECORD_VERSION = 1

/** Wall and tick time of the first fact, number of facts. */
const HEADER_BYTES = 8 + 8 + 4
const ID_BYTES = 16

/**
 * Gathers the facts of the commit at hand. Each entry is its kind (1 byte), its length (2 bytes), the
 * id of its task (16 bytes of zeros if it is about none), and the rest: packed numbers for the three
 * facts of an ordinary life, JSON for all others.
 */
export class JournalWriter {
  readonly #state: EngineState
  readonly #id = new Uint8Array(ID_BYTES)
  #writer = new ByteWriter()
  #entries: Uint8Array[] = []
  #bytes = 0
  #wallMs = 0
  #tickMs = 0

  constructor(state: EngineState) {
    this.#state = state
  }

  get count(): number {
    return this.#entries.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Adds a durable fact right after it was applied; `task` is the row that it is about. */
  add(fact: Fact, task: Row, now: { readonly wallMs: number; readonly tickMs: number }): void {
    if (this.#entries.length === 0) {
      this.#wallMs = now.wallMs
      this.#tickMs = now.tickMs
    }
    const entry = this.#encode(fact, task)
    this.#entries.push(entry)
    this.#bytes += entry.length
  }

  /** The sealed record of all facts since the last call. */
  take(key: Uint8Array): Uint8Array {
    // A commit without facts tells the time all the same: records are searched by it.
    if (this.#entries.length === 0) this.#tickMs = Math.max(this.#tickMs, this.#state.tickMs)
    const value = new Uint8Array(SEAL_BYTES + HEADER_BYTES + this.#bytes)
    const view = new DataView(value.buffer)
    view.setFloat64(SEAL_BYTES, this.#wallMs)
    view.setFloat64(SEAL_BYTES + 8, this.#tickMs)
    view.setUint32(SEAL_BYTES + 16, this.#entries.length)
    let at = SEAL_BYTES + HEADER_BYTES
    for (const entry of this.#entries) {
      value.set(entry, at)
      at += entry.length
    }
    seal(key, value, JOURNAL_RECORD_VERSION)
    this.#entries = []
    this.#bytes = 0
    this.#writer = new ByteWriter()
    return value
  }

  #encode(fact: Fact, task: Row): Uint8Array {
    if (task === NO_ROW) this.#id.fill(0)
    else this.#state.tasks.writeId(task, this.#id, 0)
    switch (fact.kind) {
      case 'task-enqueued':
        return this.#packed(fact.kind, textBytesMax(fact.profile.type) + 13, (writer) => {
          writer.u32(fact.profile.queue.number)
          writer.u8(fact.priority)
          writer.f64(fact.dueAtMs)
          writer.text(fact.profile.type)
        })
      case 'task-leased':
        return this.#packed(fact.kind, 33, (writer) => {
          writer.bytes(this.#state.sessionAt(fact.session).id)
          writer.f64(fact.token)
          writer.f64(fact.deadlineTickMs)
        })
      case 'task-ended':
        if (fact.error !== undefined || fact.note !== undefined) break
        return this.#packed(fact.kind, 10, (writer) => {
          writer.u8(TASK_STATES[fact.state].code)
          writer.u8(REASONS[fact.reason])
          writer.f64(fact.attempt?.token ?? 0)
        })
      default:
        break
    }
    const text = Buffer.from(jsonOf(this.#state, fact))
    return this.#packed(fact.kind, text.length, (writer) => writer.bytes(text))
  }

  #packed(kind: Fact['kind'], restMax: number, write: (writer: ByteWriter) => void): Uint8Array {
    const writer = this.#writer
    writer.begin(3 + ID_BYTES + restMax)
    writer.u8(FACT_KINDS[kind].code)
    writer.u16(0)
    writer.bytes(this.#id)
    write(writer)
    const entry = writer.end()
    const rest = Math.min(0xffff, entry.length - 3 - ID_BYTES)
    entry[1] = rest >>> 8
    entry[2] = rest & 0xff
    return entry
  }
}

/** The sealed record of a commit without facts. */
export function emptyJournal(
  key: Uint8Array,
  at: { readonly wallMs: number; readonly tickMs: number },
): Uint8Array {
  const value = new Uint8Array(SEAL_BYTES + HEADER_BYTES)
  const view = new DataView(value.buffer)
  view.setFloat64(SEAL_BYTES, at.wallMs)
  view.setFloat64(SEAL_BYTES + 8, at.tickMs)
  seal(key, value, JOURNAL_RECORD_VERSION)
  return value
}

export interface JournalEntry {
  readonly code: number
  readonly id: Uint8Array
  /** What follows the id: packed numbers or JSON. */
  readonly rest: Uint8Array
}

export interface JournalRecord {
  readonly wallMs: number
  readonly tickMs: number
  readonly entries: readonly JournalEntry[]
}

/** @throws {CorruptRecordError} */
export function decodeJournal(key: Uint8Array, value: Uint8Array): JournalRecord {
  unseal(key, value, JOURNAL_RECORD_VERSION)
  const reader = new ByteReader(value, SEAL_BYTES)
  const wallMs = reader.f64()
  const tickMs = reader.f64()
  const count = reader.u32()
  const entries: JournalEntry[] = []
  for (let index = 0; index < count; index += 1) {
    const code = reader.u8()
    const restBytes = reader.u16()
    entries.push({ code, id: reader.view(ID_BYTES), rest: reader.view(restBytes) })
  }
  return { wallMs, tickMs, entries }
}

/** Longest JSON of an entry: its length stands in two bytes. */
const JSON_BYTES_MAX = 60_000

/** A fact as JSON without payloads, results, rows and what other records hold. */
function jsonOf(state: EngineState, fact: Fact): string {
  // Names are left out where the fact has them, not wherever they occur: labels, types and
  // settings are named by users.
  const shown: Record<string, unknown> = { ...fact, kind: undefined, task: undefined }
  if ('id' in fact) shown['id'] = hexOf(fact.id)
  if ('session' in fact) {
    // A closed session has its id in the fact itself.
    shown['session'] = fact.kind === 'worker-lost' ? state.sessionAt(fact.session).key : undefined
  }
  if ('result' in fact) shown['result'] = undefined
  if ('error' in fact) shown['error'] = briefError(fact.error)
  if ('attempt' in fact) shown['attempt'] = briefAttempt(fact.attempt)
  if ('ended' in fact) shown['ended'] = briefEnded(fact.ended)
  const text = JSON.stringify(shown)
  return Buffer.byteLength(text) <= JSON_BYTES_MAX ? text : '{}'
}

function briefError(error: TaskError | undefined): unknown {
  return error === undefined ? undefined : { ...error, stack: undefined }
}

function briefAttempt(attempt: AttemptRecord | undefined): unknown {
  return attempt === undefined ? undefined : { ...attempt, session: undefined }
}

function briefEnded(ended: EndedTask): unknown {
  const { end } = ended
  const brief = { error: briefError(end.error), attempt: briefAttempt(end.attempt) }
  const id = hexOf(ended.id)
  return { ...ended, id, profile: undefined, end: { ...end, ...brief, result: undefined } }
}
