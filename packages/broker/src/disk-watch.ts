// Looks at the free space of the disk now and then, and after much was written; no request waits for that.

import type { Scheduler, Timer } from '@tq/core'
import { freeBytes } from './storage/disk-space.ts'

const LOOK_EVERY_MS = 2_000
/** Of commits: so much at most goes unmeasured while a flood of large tasks comes in. */
const LOOK_EVERY_BYTES = 4 * 2 ** 20
/** What is committed is written to the log, and once more to a table before the log goes. */
const WRITES_PER_BYTE = 2

export class DiskWatch {
  readonly #directory: string
  readonly #scheduler: Scheduler
  readonly #onLook: (freeBytes: number) => void
  #timer: Timer | undefined
  #freeBytes = Infinity
  /** Bytes of commits that the last look may not have seen. */
  #unseenBytes = 0
  #isLooking = false
  #isStopped = false

  /** @param onLook Told after each look that the system has answered. */
  constructor(
    directory: string,
    scheduler: Scheduler,
    onLook: (freeBytes: number) => void = () => undefined,
  ) {
    this.#directory = directory
    this.#scheduler = scheduler
    this.#onLook = onLook
  }

  /** As last measured, less what was written since; infinite where it cannot be measured. */
  get freeBytes(): number {
    return Math.max(0, this.#freeBytes - WRITES_PER_BYTE * this.#unseenBytes)
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look()
    if (this.#isStopped) return
    this.#timer = this.#scheduler.after(LOOK_EVERY_MS, () => void this.start())
  }

  /** A commit of so many bytes is on the disk. */
  wrote(bytes: number): void {
    this.#unseenBytes += bytes
    if (this.#unseenBytes >= LOOK_EVERY_BYTES && !this.#isLooking) void this.#look()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    const seenBytes = this.#unseenBytes
    try {
      this.#freeBytes = await freeBytes(this.#directory)
      this.#unseenBytes -= seenBytes
    } catch {
      // What was known stays: the next look may succeed.
      return
    } finally {
      this.#isLooking = false
    }
    if (!this.#isStopped) this.#onLook(this.#freeBytes)
  }
}
