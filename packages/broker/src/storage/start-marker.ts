// The marker of a start in progress: names its step, so that the next start can tell it aborted.

import { join } from 'node:path'
import { readTextIfAny, removeDurably, writeDurably } from './durable-file.ts'

/**
 * To be used only while the data directory is locked: a second broker that is refused must not
 * leave its mark on the one that runs.
 */
export class StartMarker {
  readonly #path: string

  constructor(directory: string) {
    this.#path = join(directory, 'starting')
  }

  /** The step at which an earlier start ended without listening; ask before the first `enter`. */
  async readAborted(): Promise<string | undefined> {
    const text = await readTextIfAny(this.#path)
    return text?.trim()
  }

  /** Says, durably, that the start has come to this step. */
  enter(step: string): Promise<void> {
    return writeDurably(this.#path, `${step}\n`)
  }

  /** The start has succeeded. */
  clear(): Promise<void> {
    return removeDurably(this.#path)
  }
}
