// The lease table as the sender of heartbeats reads it, perhaps from another thread.

import type { TaskIdBytes } from '@tq/core'
import {
  ANSWERED_WORD,
  idBytesOfSlot,
  type LeaseMemory,
  leaseMemory,
  packRenewal,
  RECEIVED_WORD,
} from './lease-memory.ts'

export interface ViewedLease {
  readonly slot: number
  readonly stamp: number
  readonly id: TaskIdBytes
  readonly token: number
}

export class LeaseView {
  readonly #memory: LeaseMemory

  constructor(buffer: SharedArrayBuffer) {
    this.#memory = leaseMemory(buffer)
  }

  /**
   * What a heartbeat has to say. `received` is read before the leases: a claim counts only after
   * its leases stand in the table, so none of them can be missed.
   */
  read(): { readonly received: number; readonly leases: readonly ViewedLease[] } {
    const received = Number(Atomics.load(this.#memory.head, RECEIVED_WORD))
    const leases: ViewedLease[] = []
    for (let slot = 0; slot < this.#memory.capacity; slot += 1) {
      const lease = this.#readSlot(slot)
      if (lease !== undefined) leases.push(lease)
    }
    return { received, leases }
  }

  /** A heartbeat that named the lease and was sent at `atMs` has been answered. */
  renew(lease: ViewedLease, atMs: number): void {
    Atomics.store(this.#memory.renewals, lease.slot, packRenewal(lease.stamp, atMs))
  }

  setAnswered(atMs: number): void {
    Atomics.store(this.#memory.head, ANSWERED_WORD, BigInt(Math.floor(atMs)))
  }

  #readSlot(slot: number): ViewedLease | undefined {
    const { stamps, tokens } = this.#memory
    const stamp = Atomics.load(stamps, slot)
    if (stamp === 0) return undefined
    const id = Uint8Array.from(idBytesOfSlot(this.#memory, slot))
    const token = tokens[slot] ?? 0
    // The slot was given up meanwhile: what was read may be half of another lease, whose claim is
    // not in `received`, so that it needs no heartbeat yet.
    return Atomics.load(stamps, slot) === stamp ? { slot, stamp, id, token } : undefined
  }
}
