// The record of a live task: all that is needed to rebuild its row, its place and its lease.

import { stateOfCode, TASK_STATES, type TaskState } from '@tq/core'
import { NO_ROW, type Row } from '../engine/rows.ts'
import type { EngineState } from '../engine/state.ts'
import { FLAG_CANCEL_REQUESTED, FLAG_KEYED } from '../engine/task-table.ts'
import type { ByteReader } from './byte-reader.ts'
import { type ByteWriter, textBytesMax } from './byte-writer.ts'
import { CorruptRecordError, seal, SEAL_BYTES } from './sealed.ts'

export const TASK_RECORD_VERSION = 1

const CORE_BYTES = 3 + 2 + 2 + 4 * 4 + 5 * 8
const LEASE_BYTES = 16 + 8 + 8 + 4 + 3 * 8
/** Bits of the flags byte on disk. */
const DISK_CANCEL_REQUESTED = 1
const DISK_KEYED = 2

/** What every record of a task begins with, live or ended. */
export interface TaskCore {
  readonly state: TaskState
  readonly priority: number
  readonly cancelRequested: boolean
  readonly keyed: boolean
  readonly failures: number
  readonly losses: number
  readonly chapters: number
  readonly generation: number
  readonly payloadBytes: number
  readonly timeoutMs: number
  readonly sequence: number
  readonly rankBaseMs: number
  readonly dueAt: number
  readonly expiresAtMs: number
  readonly createdAtMs: number
  readonly profileText: string
}

export interface LeaseRecord {
  readonly session: Uint8Array
  readonly token: number
  readonly claim: number
  readonly leaseMs: number
  readonly assignedAtMs: number
  readonly startedAtMs: number
  readonly deadlineTickMs: number
}

export interface TaskRecord {
  readonly core: TaskCore
  readonly lease: LeaseRecord | undefined
  readonly cancelNote: string | undefined
}

/** Seals the record of a live task under its key. */
export function encodeTask(
  writer: ByteWriter,
  key: Uint8Array,
  of: { readonly state: EngineState; readonly task: Row },
): Uint8Array {
  const { state, task } = of
  const { text } = state.profileOf(task)
  const note = state.cancelNotes.get(task) ?? ''
  writer.begin(SEAL_BYTES + CORE_BYTES + textBytesMax(text) + LEASE_BYTES + textBytesMax(note))
  writer.u32(0) // the checksum is filled in by the seal
  writer.u8(TASK_RECORD_VERSION)
  writeCore(writer, state, task)
  const lease = state.tasks.lease(task)
  if (lease !== NO_ROW) writeLease(writer, state, lease)
  if (state.tasks.hasFlag(task, FLAG_CANCEL_REQUESTED)) writer.text(note)
  const value = writer.end()
  seal(key, value, TASK_RECORD_VERSION)
  return value
}

/** Room that {@link writeCore} may need. */
export function coreBytesMax(profileText: string): number {
  return CORE_BYTES + textBytesMax(profileText)
}

export function writeCore(writer: ByteWriter, state: EngineState, task: Row): void {
  const { tasks } = state
  writer.u8(tasks.stateCode(task))
  writer.u8(tasks.priority(task))
  writer.u8(
    (tasks.hasFlag(task, FLAG_CANCEL_REQUESTED) ? DISK_CANCEL_REQUESTED : 0) |
      (tasks.hasFlag(task, FLAG_KEYED) ? DISK_KEYED : 0),
  )
  writer.u16(tasks.failures(task))
  writer.u16(tasks.losses(task))
  writer.u32(tasks.chapters(task))
  writer.u32(tasks.generation(task))
  writer.u32(tasks.payloadBytes(task))
  writer.u32(tasks.timeoutMs(task))
  writer.f64(tasks.sequence(task))
  writer.f64(tasks.rankBaseMs(task))
  writer.f64(tasks.dueAt(task))
  writer.f64(tasks.expiresAtMs(task))
  writer.f64(tasks.createdAtMs(task))
  writer.text(state.profileOf(task).text)
}

/** Reads a record after its seal. @throws {CorruptRecordError} · RangeError if it is cut short. */
export function decodeTask(reader: ByteReader): TaskRecord {
  const core = readCore(reader)
  const lease = TASK_STATES[core.state].held ? readLease(reader) : undefined
  const cancelNote = core.cancelRequested ? reader.text() : ''
  return { core, lease, cancelNote: cancelNote === '' ? undefined : cancelNote }
}

export function readCore(reader: ByteReader): TaskCore {
  const code = reader.u8()
  const state = stateOfCode(code)
  if (state === undefined) throw new CorruptRecordError(`no state has the number ${code}`)
  const priority = reader.u8()
  const flags = reader.u8()
  return {
    state,
    priority,
    cancelRequested: (flags & DISK_CANCEL_REQUESTED) !== 0,
    keyed: (flags & DISK_KEYED) !== 0,
    failures: reader.u16(),
    losses: reader.u16(),
    chapters: reader.u32(),
    generation: reader.u32(),
    payloadBytes: reader.u32(),
    timeoutMs: reader.u32(),
    sequence: reader.f64(),
    rankBaseMs: reader.f64(),
    dueAt: reader.f64(),
    expiresAtMs: reader.f64(),
    createdAtMs: reader.f64(),
    profileText: reader.text(),
  }
}

function writeLease(writer: ByteWriter, state: EngineState, lease: Row): void {
  const { leases } = state
  writer.bytes(state.sessionAt(leases.session(lease)).id)
  writer.f64(leases.token(lease))
  writer.f64(leases.claim(lease))
  writer.u32(leases.leaseMs(lease))
  writer.f64(leases.assignedAtMs(lease))
  writer.f64(leases.startedAtMs(lease))
  writer.f64(leases.deadlineTickMs(lease))
}

function readLease(reader: ByteReader): LeaseRecord {
  return {
    session: reader.bytes(16),
    token: reader.f64(),
    claim: reader.f64(),
    leaseMs: reader.u32(),
    assignedAtMs: reader.f64(),
    startedAtMs: reader.f64(),
    deadlineTickMs: reader.f64(),
  }
}
