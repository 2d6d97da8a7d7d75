// Small changes to the record of a task without reading and writing all of it anew.

import { TASK_STATES } from '@tq/core'
import { ByteReader } from '../storage/byte-reader.ts'
import { seal, SEAL_BYTES } from '../storage/sealed.ts'
import { readCore } from '../storage/task-record.ts'

export interface CorePatch {
  /** Of a held task: nobody holds it, and nobody has asked to cancel it. */
  readonly released: boolean
  /** No chapter of its history is kept. */
  readonly withoutHistory: boolean
  /** Nobody finds it by an idempotency key. */
  readonly unkeyed: boolean
}

/** Where things stand in a record, live or ended; docs/storage.md has the table. */
const FLAGS_AT = SEAL_BYTES + 2
const CHAPTERS_AT = SEAL_BYTES + 7
const PROFILE_AT = SEAL_BYTES + 63
const CANCEL_REQUESTED = 1
const KEYED = 2

export function patchCore(key: Uint8Array, value: Uint8Array, patch: CorePatch): Uint8Array {
  const { released, withoutHistory, unkeyed } = patch
  if (!released && !withoutHistory && !unkeyed) return value
  const changed = new Uint8Array(released ? value.subarray(0, endOfCore(value)) : value)
  const view = new DataView(changed.buffer)
  if (released) {
    view.setUint8(SEAL_BYTES, TASK_STATES.queued.code)
    view.setUint8(FLAGS_AT, view.getUint8(FLAGS_AT) & ~CANCEL_REQUESTED)
  }
  if (withoutHistory) view.setUint32(CHAPTERS_AT, 0)
  if (unkeyed) view.setUint8(FLAGS_AT, view.getUint8(FLAGS_AT) & ~KEYED)
  // What cannot be read was written wrongly: better found out here.
  readCore(new ByteReader(changed, SEAL_BYTES))
  seal(key, changed, value[SEAL_BYTES - 1] ?? 0)
  return changed
}

function endOfCore(value: Uint8Array): number {
  const profileBytes = new DataView(value.buffer, value.byteOffset).getUint16(PROFILE_AT)
  return PROFILE_AT + 2 + profileBytes
}
