// The most memory that a process had while it was watched.

import { processFigures } from '../soak/process-figures.ts'

const LOOK_MS = 200

export class MemoryWatch {
  readonly #pid: number
  readonly #timer: NodeJS.Timeout
  #peakBytes = 0

  constructor(pid: number) {
    this.#pid = pid
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#look()
  }

  /** Memory that is no file: LevelDB maps its tables, and the system takes those back at will. */
  get peakBytes(): number {
    return this.#peakBytes
  }

  stop(): void {
    this.#look()
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#peakBytes = Math.max(this.#peakBytes, processFigures(this.#pid).anonymousBytes)
  }
}
