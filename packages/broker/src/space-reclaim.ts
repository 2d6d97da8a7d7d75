// Has the store give back the space of deleted tasks when the disk is nearly full: nothing else would.

import type { Clock } from '@tq/core'
import type { Logger } from './observe/log.ts'
import { FAMILIES } from './storage/key.ts'
import type { Store } from './storage/port.ts'

/** Between two rounds: each may write all that is stored anew. */
const ROUND_EVERY_MS = 60_000
/** And so many times as long as the last round took, for the disk has other work to do. */
const REST_FACTOR = 9
/**
 * Least free space, in parts of the floor. What is below the floor is there for compactions, and one
 * that finds no room ends the broker.
 */
const ROOM_SHARE = 1 / 2
/** And in write buffers, where the floor is low: a step begins by writing out both of them. */
const ROOM_WRITE_BUFFERS = 4
/** Free space at which a round ends before it is through, in floors. */
const ENOUGH_FLOORS = 2
/** Families whose deletes are worth a round; others are deleted all the time, and are small. */
const LARGE: ReadonlySet<number | undefined> = new Set([
  FAMILIES.payload,
  FAMILIES.done,
  FAMILIES.history,
])

export interface SpaceReclaimParts {
  readonly store: Pick<Store, 'reclaim'>
  readonly log: Logger
  readonly clock: Clock
  /** Looks at the disk. */
  readonly freeBytes: () => Promise<number>
}

export interface SpaceReclaimOptions {
  /** Below this much free space new work is refused. */
  readonly floorBytes: number
  readonly writeBufferBytes: number
  /** Nothing can have been deleted in it before. */
  readonly isNew: boolean
}

export class SpaceReclaim {
  readonly #parts: SpaceReclaimParts
  readonly #floorBytes: number
  readonly #roomBytes: number
  /** Whether anything was deleted since the last round began that came to its end. */
  #hasDeleted: boolean
  #isRunning = false
  #isStopped = false
  #notBeforeMs = -Infinity

  constructor(parts: SpaceReclaimParts, options: SpaceReclaimOptions) {
    const { floorBytes, writeBufferBytes, isNew } = options
    this.#parts = parts
    this.#floorBytes = floorBytes
    this.#roomBytes = Math.max(ROOM_SHARE * floorBytes, ROOM_WRITE_BUFFERS * writeBufferBytes)
    this.#hasDeleted = !isNew
  }

  /** Keys that a commit has deleted. */
  deleted(keys: readonly Uint8Array[]): void {
    this.#hasDeleted ||= keys.some((key) => LARGE.has(key[0]))
  }

  /** So much is free: begins a round if that is too little, and one may help. */
  readonly looked = (freeBytes: number): void => {
    if (this.#isRunning || this.#isStopped || !this.#hasDeleted) return
    if (freeBytes >= this.#floorBytes || freeBytes < this.#roomBytes) return
    if (this.#parts.clock.monotonicMs() < this.#notBeforeMs) return
    void this.#run(freeBytes)
  }

  /** The step at hand is the last; the store waits for it when it is closed. */
  stop(): void {
    this.#isStopped = true
  }

  async #run(bytesBefore: number): Promise<void> {
    const { store, log, clock, freeBytes } = this.#parts
    const sinceMs = clock.monotonicMs()
    this.#isRunning = true
    this.#hasDeleted = false
    log.info({ event: 'reclaim-started', freeBytes: bytesBefore })
    try {
      await store.reclaim(this.#hasRoom)
      const bytes = await freeBytes()
      const ms = Math.round(clock.monotonicMs() - sinceMs)
      log.info({ event: 'reclaim-finished', ms, freeBytes: bytes, wonBytes: bytes - bytesBefore })
    } catch (error) {
      this.#hasDeleted = true
      log.error({ event: 'reclaim-failed', error })
    } finally {
      const endMs = clock.monotonicMs()
      this.#notBeforeMs = endMs + Math.max(ROUND_EVERY_MS, REST_FACTOR * (endMs - sinceMs))
      this.#isRunning = false
    }
  }

  readonly #hasRoom = async (): Promise<boolean> => {
    const bytes = await this.#parts.freeBytes()
    const goesOn = bytes >= this.#roomBytes && bytes < ENOUGH_FLOORS * this.#floorBytes
    // There is something left for another round.
    if (!goesOn) this.#hasDeleted = true
    return goesOn && !this.#isStopped
  }
}
