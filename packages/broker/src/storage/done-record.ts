// The record of a task that has ended: what it was, and how it ended.

import { isTerminal, reasonOfCode, REASONS, type TaskError } from '@tq/core'
import type { AttemptRecord, EndedTask, EndRecord } from '../engine/fact.ts'
import type { Profile } from '../engine/profile.ts'
import type { Row } from '../engine/rows.ts'
import type { EngineState } from '../engine/state.ts'
import { ByteReader } from './byte-reader.ts'
import { type ByteWriter, textBytesMax } from './byte-writer.ts'
import { CorruptRecordError, seal, SEAL_BYTES, unseal } from './sealed.ts'
import { coreBytesMax, readCore, writeCore } from './task-record.ts'

export const DONE_RECORD_VERSION = 1

const HAS_RESULT = 1
const HAS_DETAIL = 2
const HAS_ATTEMPT = 4
const NO_BYTES = new Uint8Array(0)

/** Seals the record of an ended task whose row is still in memory. */
export function encodeDone(
  writer: ByteWriter,
  key: Uint8Array,
  of: { readonly state: EngineState; readonly task: Row; readonly end: EndRecord },
): Uint8Array {
  const { state, task, end } = of
  const detail = detailBytes(end)
  const worker = end.attempt?.worker ?? ''
  writer.begin(
    SEAL_BYTES +
      coreBytesMax(state.profileOf(task).text) +
      (10 + textBytesMax(end.actor)) +
      (4 + (end.result?.length ?? 0)) +
      (4 + detail.length) +
      (28 + textBytesMax(worker)),
  )
  writer.u32(0)
  writer.u8(DONE_RECORD_VERSION)
  writeCore(writer, state, task)
  writer.u8(REASONS[end.reason])
  writer.f64(end.atMs)
  writer.text(end.actor)
  writer.u8(
    (end.result === undefined ? 0 : HAS_RESULT) |
      (detail.length === 0 ? 0 : HAS_DETAIL) |
      (end.attempt === undefined ? 0 : HAS_ATTEMPT),
  )
  if (end.result !== undefined) {
    writer.u32(end.result.length)
    writer.bytes(end.result)
  }
  if (detail.length > 0) {
    writer.u32(detail.length)
    writer.bytes(detail)
  }
  if (end.attempt !== undefined) writeAttempt(writer, end.attempt)
  const value = writer.end()
  seal(key, value, DONE_RECORD_VERSION)
  return value
}

/**
 * @throws {CorruptRecordError} if the seal is broken or it contradicts itself or the rest of the
 * store: the queue of its profile is unknown, its state is not the end of a task.
 */
export function decodeDone(
  key: Uint8Array,
  value: Uint8Array,
  known: { readonly id: Uint8Array; readonly profileOf: (text: string) => Profile | undefined },
): EndedTask {
  unseal(key, value, DONE_RECORD_VERSION)
  const reader = new ByteReader(value, SEAL_BYTES)
  const core = readCore(reader)
  const reason = reasonOfCode(reader.u8())
  const atMs = reader.f64()
  const actor = reader.text()
  const has = reader.u8()
  const result = (has & HAS_RESULT) === 0 ? undefined : reader.bytes(reader.u32())
  const detail = (has & HAS_DETAIL) === 0 ? undefined : parseDetail(reader.view(reader.u32()))
  const attempt = (has & HAS_ATTEMPT) === 0 ? undefined : readAttempt(reader)
  const profile = known.profileOf(core.profileText)
  if (profile === undefined || reason === undefined) {
    throw new CorruptRecordError('an ended task names a queue or reason that does not exist')
  }
  const { state } = core
  if (!isTerminal(state)) throw new CorruptRecordError(`an ended task is ${state}`)
  const { error, note } = detail ?? {}
  return {
    id: known.id,
    profile,
    priority: core.priority,
    failures: core.failures,
    losses: core.losses,
    generation: core.generation,
    chapters: core.chapters,
    sequence: core.sequence,
    createdAtMs: core.createdAtMs,
    payloadBytes: core.payloadBytes,
    timeoutMs: core.timeoutMs,
    keyed: core.keyed,
    end: { state, reason, atMs, result, error, note, attempt, actor },
  }
}

interface Detail {
  readonly error?: TaskError
  readonly note?: string
}

/** Error and note as JSON, for they are rare; empty if there is neither. */
function detailBytes(end: EndRecord): Uint8Array {
  if (end.error === undefined && end.note === undefined) return NO_BYTES
  return Buffer.from(JSON.stringify({ error: end.error, note: end.note }))
}

function parseDetail(bytes: Uint8Array): Detail {
  return JSON.parse(Buffer.from(bytes).toString()) as Detail
}

function writeAttempt(writer: ByteWriter, attempt: AttemptRecord): void {
  writer.u32(attempt.attempt)
  writer.f64(attempt.token)
  writer.f64(attempt.assignedAtMs)
  writer.f64(attempt.startedAtMs)
  writer.text(attempt.worker)
}

function readAttempt(reader: ByteReader): AttemptRecord {
  return {
    attempt: reader.u32(),
    token: reader.f64(),
    assignedAtMs: reader.f64(),
    startedAtMs: reader.f64(),
    worker: reader.text(),
    session: -1,
  }
}
