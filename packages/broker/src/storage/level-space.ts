// Gives the space of deleted entries back: LevelDB would do so only when more is written to it.

import type { RoomAsked } from './port.ts'
import type { Level } from './store-verification.ts'

/**
 * Bytes of tables that are sorted anew between two looks at the room. LevelDB writes what is left
 * of them before the old tables go, in smaller steps; a close waits for the piece at hand.
 */
const PIECE_BYTES = 16 * 1024 * 1024
/** Family, slot, and what tells the time and the order of a task id: pieces begin at any of these. */
const PREFIX_BYTES = 12
const FIRST = 0n
const END = 2n ** BigInt(8 * PREFIX_BYTES) - 1n

export class LevelSpace {
  readonly #level: Level
  /** Where the next piece begins: a round that was left is gone on with. */
  #next = FIRST

  constructor(level: Level) {
    this.#level = level
  }

  /** Once around all keys, piece by piece, as long as there is room. */
  async reclaim(hasRoom: RoomAsked): Promise<void> {
    const from = this.#next
    if (!(await this.#reclaimTo(END, hasRoom))) return
    this.#next = FIRST
    await this.#reclaimTo(from, hasRoom)
  }

  /** False if it was left before the end. */
  async #reclaimTo(end: bigint, hasRoom: RoomAsked): Promise<boolean> {
    while (this.#next < end) {
      if (!(await hasRoom())) return false
      const to = await this.#endOfPiece(this.#next, end)
      if (await this.#holds(this.#next, to)) {
        await this.#level.compactRange(keyAt(this.#next), keyAt(to))
      }
      this.#next = to
    }
    return true
  }

  /** The farthest key to which there is not more than a piece. */
  async #endOfPiece(from: bigint, end: bigint): Promise<bigint> {
    if ((await this.#bytesBetween(from, end)) <= PIECE_BYTES) return end
    let low = from + 1n
    let high = end
    while (low < high) {
      const middle = (low + high + 1n) / 2n
      if ((await this.#bytesBetween(from, middle)) <= PIECE_BYTES) low = middle
      else high = middle - 1n
    }
    return low
  }

  async #holds(from: bigint, to: bigint): Promise<boolean> {
    return (await this.#bytesBetween(from, to)) > 0
  }

  /** Of tables, deleted entries among them. */
  #bytesBetween(from: bigint, to: bigint): Promise<number> {
    return this.#level.approximateSize(keyAt(from), keyAt(to))
  }
}

function keyAt(prefix: bigint): Uint8Array {
  return Buffer.from(prefix.toString(16).padStart(2 * PREFIX_BYTES, '0'), 'hex')
}
