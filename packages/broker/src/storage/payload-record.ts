// The record of what does not change after the enqueue: payload, headers, trace context, key, hints.

import type { TaskOptions } from '@tq/core'
import { CorruptRecordError, seal, SEAL_BYTES, unseal } from './sealed.ts'

export const PAYLOAD_RECORD_VERSION = 1

/** What goes with a payload; all of it is rare, so it is JSON where there is any. */
export type PayloadMeta = Pick<
  TaskOptions,
  'headers' | 'trace' | 'idempotencyKey' | 'durationHintMs' | 'sizeHintBytes'
>

export interface PayloadRecord {
  readonly meta: PayloadMeta
  /** A view into the record. */
  readonly payload: Uint8Array
}

const NO_META: PayloadMeta = {}
const NO_BYTES = new Uint8Array(0)

/** The meta bytes of a task's options; empty if they say nothing that a payload record keeps. */
export function encodeMeta(options: TaskOptions | undefined): Uint8Array {
  if (options === undefined) return NO_BYTES
  const { headers, trace, idempotencyKey, durationHintMs, sizeHintBytes } = options
  const text = JSON.stringify({ headers, trace, idempotencyKey, durationHintMs, sizeHintBytes })
  return text === '{}' ? NO_BYTES : Buffer.from(text)
}

export function payloadRecordBytes(meta: Uint8Array, payload: Uint8Array): number {
  return SEAL_BYTES + 4 + meta.length + payload.length
}

/** Writes and seals a record in place; `target` has just its length. */
export function writePayloadRecord(
  target: Uint8Array,
  key: Uint8Array,
  of: { readonly meta: Uint8Array; readonly payload: Uint8Array },
): void {
  const { meta, payload } = of
  let at = SEAL_BYTES
  target[at] = meta.length >>> 24
  target[at + 1] = (meta.length >>> 16) & 0xff
  target[at + 2] = (meta.length >>> 8) & 0xff
  target[at + 3] = meta.length & 0xff
  at += 4
  target.set(meta, at)
  target.set(payload, at + meta.length)
  seal(key, target, PAYLOAD_RECORD_VERSION)
}

/** Reads a record that came from disk. @throws {CorruptRecordError} */
export function decodePayloadRecord(key: Uint8Array, value: Uint8Array): PayloadRecord {
  unseal(key, value, PAYLOAD_RECORD_VERSION)
  return readPayloadRecord(value)
}

/** Reads a record that never left memory. */
export function readPayloadRecord(value: Uint8Array): PayloadRecord {
  const at = SEAL_BYTES + 4
  if (value.length < at) throw new CorruptRecordError('a payload record is cut short')
  const metaBytes =
    (((value[at - 4] as number) << 24) |
      ((value[at - 3] as number) << 16) |
      ((value[at - 2] as number) << 8) |
      (value[at - 1] as number)) >>>
    0
  if (metaBytes === 0) return { meta: NO_META, payload: value.subarray(at) }
  const text = Buffer.from(value.subarray(at, at + metaBytes)).toString()
  return { meta: JSON.parse(text) as PayloadMeta, payload: value.subarray(at + metaBytes) }
}
