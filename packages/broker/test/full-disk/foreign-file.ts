// A file of somebody else's that takes the space of a disk, and gives it back.

import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const CHUNK = Buffer.alloc(256 * 1024)

export class ForeignFile {
  readonly #directory: string
  readonly #path: string

  constructor(directory: string) {
    this.#directory = directory
    this.#path = join(directory, 'foreign')
  }

  /** What a process without privileges may still write. */
  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#directory)
    return bavail * bsize
  }

  /** Grows until about so much is free; 0 takes the last byte that the system gives to root. */
  leaveFree(bytes: number): void {
    const file = openSync(this.#path, 'a')
    try {
      for (;;) {
        // Looked at once: others take and give space in between.
        const tooMuch = bytes === 0 ? CHUNK.length : this.freeBytes - bytes
        if (tooMuch <= 0) return
        writeSync(file, CHUNK.subarray(0, Math.min(CHUNK.length, tooMuch)))
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      fillRest(file)
    } finally {
      closeSync(file)
    }
  }

  remove(): void {
    rmSync(this.#path, { force: true })
  }
}

/** What is less than a chunk, down to the last block. */
function fillRest(file: number): void {
  for (let bytes = CHUNK.length / 2; bytes >= 512; bytes /= 2) {
    try {
      for (;;) writeSync(file, CHUNK.subarray(0, bytes))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}
