// Payload records that were written lately, in one ring of bytes: no object per payload, fixed size.

import { invariant, type TaskOptions } from '@tq/core'
import { encodeMeta, payloadRecordBytes, writePayloadRecord } from './payload-record.ts'

const LENGTH_BYTES = 4

/**
 * A record is copied in once, when its task is enqueued; the commit and later claims read it from
 * here. The oldest are written over. `safetyBytes` must be more than all payload bytes that can be
 * written while a commit is gathered and synced: what `get` returns stays in place that long.
 */
export class PayloadCache {
  readonly #ring: Uint8Array
  readonly #view: DataView
  readonly #safetyBytes: number
  /** Bytes ever written, gaps at the end of the ring included: positions only grow. */
  #written = 0

  constructor(options: { readonly bytes: number; readonly safetyBytes: number }) {
    invariant(options.bytes >= 2 * options.safetyBytes, 'the ring holds more than it must')
    this.#ring = Buffer.allocUnsafeSlow(options.bytes)
    this.#view = new DataView(this.#ring.buffer)
    this.#safetyBytes = options.safetyBytes
  }

  /** Copies a new task's record in. The position finds it again; it is never 0. */
  store(
    key: Uint8Array,
    task: { readonly payload: Uint8Array; readonly options: TaskOptions | undefined },
  ): number {
    const meta = encodeMeta(task.options)
    const bytes = payloadRecordBytes(meta, task.payload)
    const at = this.#reserve(LENGTH_BYTES + bytes)
    this.#view.setUint32(at, bytes)
    const target = this.#ring.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + bytes)
    writePayloadRecord(target, key, { meta, payload: task.payload })
    return this.#written - LENGTH_BYTES - bytes + 1
  }

  /** The record at a position, or undefined if it was (or soon will be) written over. */
  get(position: number): Uint8Array | undefined {
    if (position === 0) return undefined
    const oldest = this.#written - this.#ring.length + this.#safetyBytes
    return position - 1 < oldest ? undefined : this.#recordAt(position)
  }

  /** The record of a task whose commit is being built: it is always still there. */
  uncommitted(position: number): Uint8Array {
    invariant(position > 0, 'a new task has its payload in the cache')
    invariant(
      position - 1 >= this.#written - this.#ring.length,
      'no payload is written over before its commit',
    )
    return this.#recordAt(position)
  }

  #recordAt(position: number): Uint8Array {
    const at = (position - 1) % this.#ring.length
    const bytes = this.#view.getUint32(at)
    return this.#ring.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + bytes)
  }

  /** Makes room without wrapping a record around the end of the ring. */
  #reserve(bytes: number): number {
    const at = this.#written % this.#ring.length
    const gap = at + bytes > this.#ring.length ? this.#ring.length - at : 0
    this.#written += gap + bytes
    return gap > 0 ? 0 : at
  }
}
