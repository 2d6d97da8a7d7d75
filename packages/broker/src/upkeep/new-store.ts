// A store that is being made from a backup or from what was salvaged, in a directory of which the
// identity says so until it is finished: no broker starts on it before.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemScheduler } from '@tq/core'
import { syncDirectory, writeDurably } from '../storage/durable-file.ts'
import { encodeHead, HEAD_KEY, type Head } from '../storage/head-record.ts'
import { HighWater } from '../storage/high-water.ts'
import { writeIdentity } from '../storage/identity.ts'
import type { Entry } from '../storage/port.ts'
import { makeLevel } from '../storage/raw-level.ts'
import type { Level } from '../storage/store-verification.ts'
import type { NewDirectory } from './new-directory.ts'

/** Bytes that are written with one sync. */
const BATCH_BYTES = 1024 * 1024

/** Where a store comes from, for people; kept in the file `origin`. */
export interface Origin {
  readonly kind: 'restored' | 'salvaged'
  readonly from: string
  readonly atMs: number
  /** The last commit of what it was made from. */
  readonly lsn: number
  /** The epoch that it begins with. */
  readonly epoch: number
}

export class NewStore {
  readonly #directory: string
  readonly #storeId: Uint8Array
  readonly #level: Level
  #entries: Entry[] = []
  #bytes = 0

  static async begin({ path }: NewDirectory, storeId: Uint8Array): Promise<NewStore> {
    const store = join(path, 'store')
    await mkdir(store, { mode: 0o700 })
    return new NewStore(path, storeId, await makeLevel(store))
  }

  private constructor(directory: string, storeId: Uint8Array, level: Level) {
    this.#directory = directory
    this.#storeId = storeId
    this.#level = level
  }

  /** The bytes must stay as they are until the next call has ended. */
  async add(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#entries.push([key, value])
    this.#bytes += key.length + value.length
    if (this.#bytes >= BATCH_BYTES) await this.#flush()
  }

  /** A start finds it as a store that was closed in good order at this commit. */
  async finish(head: Omit<Head, 'storeId'>, origin: Origin): Promise<void> {
    const full: Head = { ...head, storeId: this.#storeId }
    this.#entries.push([HEAD_KEY, encodeHead(HEAD_KEY, full)])
    await this.#flush()
    await this.#level.close()
    await syncDirectory(join(this.#directory, 'store'))
    await mark(join(this.#directory, 'high-water'), full)
    await writeDurably(join(this.#directory, 'origin'), `${JSON.stringify(origin)}\n`)
    await writeIdentity(this.#directory, { storeId: this.#storeId, state: 'ready' })
  }

  /** Leaves it unfinished: a broker refuses it, and says what is to be done again. */
  async abandon(): Promise<void> {
    await this.#level.close()
  }

  /** Each batch is synced: LevelDB does not make earlier unsynced ones durable with a later one. */
  async #flush(): Promise<void> {
    const batch = this.#level.batch()
    for (const [key, value] of this.#entries) batch.put(key, value)
    this.#entries = []
    this.#bytes = 0
    await batch.write({ sync: true })
  }
}

async function mark(path: string, head: Head): Promise<void> {
  let failure: unknown
  const highWater = new HighWater(path, {
    scheduler: systemScheduler,
    onFailure: (error) => (failure = error),
  })
  try {
    await highWater.open()
    await highWater.set(head)
  } finally {
    await highWater.close()
  }
  if (failure instanceof Error) throw failure
}
