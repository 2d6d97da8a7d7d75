// Looks at the free space of the disk now and then; no request waits for that.

import type { Scheduler, Timer } from '@tq/core'
import { freeBytes } from './storage/disk-space.ts'

const LOOK_EVERY_MS = 2_000

export class DiskWatch {
  readonly #directory: string
  readonly #scheduler: Scheduler
  #timer: Timer | undefined
  #freeBytes = Infinity
  #isStopped = false

  constructor(directory: string, scheduler: Scheduler) {
    this.#directory = directory
    this.#scheduler = scheduler
  }

  /** As last measured; infinite where it cannot be measured. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    this.#freeBytes = await freeBytes(this.#directory).catch(() => this.#freeBytes)
    if (this.#isStopped) return
    this.#timer = this.#scheduler.after(LOOK_EVERY_MS, () => void this.start())
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }
}
