// The marker of a start in progress: names its step, so that the next start can tell it aborted.

import { join } from 'node:path'
import { readTextIfAny, removeDurably, writeDurably } from './durable-file.ts'
import { StoreError } from './port.ts'

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

  /** Says, durably, that the start has come to this step. @throws {StoreError} IO. */
  async enter(step: string): Promise<void> {
    await writeDurably(this.#path, `${step}\n`).catch((error: unknown) => this.#refuse(error))
  }

  /** The start has succeeded. @throws {StoreError} IO. */
  async clear(): Promise<void> {
    await removeDurably(this.#path).catch((error: unknown) => this.#refuse(error))
  }

  /** A disk that does not take this will not take commits: better not to start than to fail then. */
  #refuse(error: unknown): never {
    const said = error instanceof Error ? error.message : String(error)
    throw new StoreError(
      'IO',
      `cannot write or remove ${this.#path}, which marks the step of a start: ${said}. Look at the ` +
        'space on this disk, its health, and who may write to the directory.',
      error,
    )
  }
}
