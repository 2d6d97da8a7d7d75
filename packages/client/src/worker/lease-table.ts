// The leases a worker holds, as its main thread writes them down for whoever sends heartbeats.

import { invariant, type TaskIdBytes } from '@tq/core'
import {
  ANSWERED_WORD,
  idBytesOfSlot,
  type LeaseMemory,
  leaseMemory,
  leaseMemoryBytes,
  RECEIVED_WORD,
  unpackRenewal,
} from './lease-memory.ts'

/** The place of one lease in the table. */
export interface LeaseEntry {
  readonly slot: number
  readonly stamp: number
}

const STAMP_MAX = 2 ** 31 - 1

export class LeaseTable {
  readonly buffer: SharedArrayBuffer
  readonly #memory: LeaseMemory
  readonly #free: number[]
  #lastStamp = 0

  constructor(capacity: number) {
    this.buffer = new SharedArrayBuffer(leaseMemoryBytes(capacity))
    this.#memory = leaseMemory(this.buffer)
    // The lowest slot is taken first, so that a heartbeat's scan stays in few cache lines.
    this.#free = Array.from({ length: capacity }, (_, index) => capacity - 1 - index)
  }

  get freeCount(): number {
    return this.#free.length
  }

  get count(): number {
    return this.#memory.capacity - this.#free.length
  }

  add(id: TaskIdBytes, token: number): LeaseEntry {
    const slot = this.#free.pop()
    invariant(slot !== undefined, 'no more tasks are claimed than the lease table has room for')
    this.#lastStamp = this.#lastStamp >= STAMP_MAX ? 1 : this.#lastStamp + 1
    idBytesOfSlot(this.#memory, slot).set(id)
    this.#memory.tokens[slot] = token
    // The stamp comes last: whoever sees it sees the rest.
    Atomics.store(this.#memory.stamps, slot, this.#lastStamp)
    return { slot, stamp: this.#lastStamp }
  }

  /** The lease is not named by heartbeats any more. Safe twice. */
  remove(entry: LeaseEntry): void {
    if (Atomics.load(this.#memory.stamps, entry.slot) !== entry.stamp) return
    Atomics.store(this.#memory.stamps, entry.slot, 0)
    this.#free.push(entry.slot)
  }

  /** All claims up to this number are answered, and their leases are in the table. */
  setReceived(claim: number): void {
    Atomics.store(this.#memory.head, RECEIVED_WORD, BigInt(claim))
  }

  /** When the last answered heartbeat that renewed this lease was sent; 0 if none was. */
  renewedAtMs(entry: LeaseEntry): number {
    const packed = Atomics.load(this.#memory.renewals, entry.slot)
    return unpackRenewal(packed, entry.stamp) ?? 0
  }

  /** When the last answered heartbeat was sent; 0 if none was. */
  get answeredAtMs(): number {
    return Number(Atomics.load(this.#memory.head, ANSWERED_WORD))
  }
}
