// The layout of the memory in which a worker's main thread and its heartbeat thread share leases.

/** Word 0: `received`, the claims answered. Word 1: when the last answered heartbeat was sent. */
const HEAD_WORDS = 2
const ID_BYTES = 16
const BYTES_PER_SLOT = 8 + 8 + 4 + ID_BYTES

export interface LeaseMemory {
  readonly capacity: number
  readonly head: BigInt64Array
  /** A moment and the stamp it belongs to, packed by {@link packRenewal} so that it never tears. */
  readonly renewals: BigInt64Array
  readonly tokens: Float64Array
  /** 0: the slot is free. Else a number that no earlier lease in this slot had. */
  readonly stamps: Int32Array
  readonly ids: Uint8Array
}

export const RECEIVED_WORD = 0
export const ANSWERED_WORD = 1

export function leaseMemoryBytes(capacity: number): number {
  return HEAD_WORDS * 8 + capacity * BYTES_PER_SLOT
}

/** Views of a buffer made with {@link leaseMemoryBytes}; each thread makes its own. */
export function leaseMemory(buffer: SharedArrayBuffer): LeaseMemory {
  const capacity = (buffer.byteLength - HEAD_WORDS * 8) / BYTES_PER_SLOT
  let at = 0
  const take = (bytes: number): number => {
    at += bytes
    return at - bytes
  }
  return {
    capacity,
    head: new BigInt64Array(buffer, take(HEAD_WORDS * 8), HEAD_WORDS),
    renewals: new BigInt64Array(buffer, take(8 * capacity), capacity),
    tokens: new Float64Array(buffer, take(8 * capacity), capacity),
    stamps: new Int32Array(buffer, take(4 * capacity), capacity),
    ids: new Uint8Array(buffer, take(ID_BYTES * capacity), ID_BYTES * capacity),
  }
}

export function idBytesOfSlot(memory: LeaseMemory, slot: number): Uint8Array {
  return memory.ids.subarray(slot * ID_BYTES, (slot + 1) * ID_BYTES)
}

const STAMP_BITS = 20n
const STAMP_MASK = (1n << STAMP_BITS) - 1n

/** 43 bits of ms last for 278 years; 20 bits of stamp tell apart a slot's last million leases. */
export function packRenewal(stamp: number, atMs: number): bigint {
  return (BigInt(Math.floor(atMs)) << STAMP_BITS) | (BigInt(stamp) & STAMP_MASK)
}

/** The moment in a packed renewal, or undefined if it belongs to another lease of the slot. */
export function unpackRenewal(packed: bigint, stamp: number): number | undefined {
  return (packed & STAMP_MASK) === (BigInt(stamp) & STAMP_MASK)
    ? Number(packed >> STAMP_BITS)
    : undefined
}
