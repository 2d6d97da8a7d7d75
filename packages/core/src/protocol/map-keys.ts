// The keys of the maps that a pass over a message has open, to refuse a key that comes twice.

import { MSGPACK_DEPTH_MAX } from '../limits.ts'

/** Up to so many keys, comparing with each one before is cheaper than a set of strings. */
const COMPARED_KEYS_MAX = 8
const PROTO = '__proto__'

/** A stack of sets of keys. Small ones are kept as places in the bytes, without an allocation. */
export class MapKeys {
  readonly #starts = new Int32Array((MSGPACK_DEPTH_MAX + 1) * COMPARED_KEYS_MAX)
  readonly #ends = new Int32Array((MSGPACK_DEPTH_MAX + 1) * COMPARED_KEYS_MAX)
  readonly #counts = new Int32Array(MSGPACK_DEPTH_MAX + 1)
  /** The names of a map with many keys; undefined where its keys are compared one by one. */
  readonly #names: (Set<string> | undefined)[] = []
  #depth = 0

  /** Forgets all maps, also those that a refusal left open. */
  reset(): void {
    this.#depth = 0
  }

  /** Enters a map with so many keys. */
  open(keyCount: number): void {
    this.#depth += 1
    this.#counts[this.#depth] = 0
    this.#names[this.#depth] = keyCount > COMPARED_KEYS_MAX ? new Set() : undefined
  }

  /** Leaves the innermost map. */
  close(): void {
    this.#depth -= 1
  }

  /**
   * Adds a key of the innermost map, given as a range of bytes. False if the map has it already, or
   * if it is `__proto__`, which no plain object can hold.
   */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start === PROTO.length && bytes[start] === 0x5f && isProto(bytes, start)) return false
    const names = this.#names[this.#depth]
    if (names !== undefined) return addName(names, bytes, start, end)
    const base = this.#depth * COMPARED_KEYS_MAX
    const count = this.#counts[this.#depth] as number
    for (let index = base; index < base + count; index += 1) {
      const otherStart = this.#starts[index] as number
      if ((this.#ends[index] as number) - otherStart !== end - start) continue
      if (isSame(bytes, otherStart, start, end)) return false
    }
    this.#starts[base + count] = start
    this.#ends[base + count] = end
    this.#counts[this.#depth] = count + 1
    return true
  }
}

function isProto(bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < PROTO.length; index += 1) {
    if (bytes[start + index] !== PROTO.charCodeAt(index)) return false
  }
  return true
}

function isSame(bytes: Uint8Array, otherStart: number, start: number, end: number): boolean {
  for (let at = start, other = otherStart; at < end; at += 1, other += 1) {
    if (bytes[at] !== bytes[other]) return false
  }
  return true
}

function addName(names: Set<string>, bytes: Uint8Array, start: number, end: number): boolean {
  const sizeBefore = names.size
  // One character for one byte: the names are only compared, so their meaning does not matter.
  names.add(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'))
  return names.size > sizeBefore
}
