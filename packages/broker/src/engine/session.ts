// A session: one SDK instance, kept over its reconnects; the holder of leases. Workers are sessions
// that have registered.

import type { Labels } from '@tq/core'
import type { LaneGroup } from './lane.ts'
import type { Queue } from './queue.ts'
import { NO_ROW, type Row } from './rows.ts'

export interface WorkerInfo {
  readonly name: string
  readonly version: string
  readonly labels: Labels
  readonly slots: number
}

export class Session {
  readonly index: number
  /** 16 bytes that the SDK made. */
  readonly id: Uint8Array
  /** The id as hex text: the key of maps. */
  readonly key: string
  /** Who may use this session. */
  readonly principal: string
  worker: WorkerInfo | undefined
  /** Tick ms of the last sign of life. */
  lastSeenTickMs: number
  /** First of the list of this session's leases. */
  firstLease: Row = NO_ROW
  leaseCount = 0
  /** Groups of each queue that this session's labels meet; stale once the version differs. */
  readonly matches = new Map<Queue, { version: number; groups: readonly LaneGroup[] }>()

  constructor(identity: {
    readonly index: number
    readonly id: Uint8Array
    readonly principal: string
    readonly lastSeenTickMs: number
  }) {
    this.index = identity.index
    this.id = identity.id
    this.key = sessionKey(identity.id)
    this.principal = identity.principal
    this.lastSeenTickMs = identity.lastSeenTickMs
  }

  /** What people see as the holder of a lease. */
  get displayName(): string {
    return this.worker?.name ?? `session ${this.key.slice(0, 8)}`
  }
}

export function sessionKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
}
