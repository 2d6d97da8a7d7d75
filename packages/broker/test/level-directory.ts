// A data directory with a LevelStore in it, to be run, damaged and opened again.

import { ClassicLevel } from 'classic-level'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { LevelStore, type LevelStoreOptions } from '../src/storage/level-store.ts'
import type { Opened, StoreError } from '../src/storage/port.ts'
import { committedBatch } from './committed-batch.ts'

export class LevelDirectory {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** A store on the directory, closed when the test ends. */
  makeStore(options: Partial<LevelStoreOptions> = {}): LevelStore {
    const store = new LevelStore({ directory: this.path, onFailure: neverCalled, ...options })
    onTestFinished(() => store.close())
    return store
  }

  /** Opens the store, commits up to this LSN, and closes it. */
  async runUpTo(lsn: number): Promise<Opened> {
    const store = this.makeStore()
    const opened = await store.open()
    const { ownership } = opened
    for (let next = opened.lsn + 1; next <= lsn; next += 1) {
      await store.commit(ownership, next, ownership.epoch, committedBatch(next, 100))
    }
    await store.close()
    return opened
  }

  /** Why the next open is refused; fails if it is not. */
  async refusal(): Promise<StoreError> {
    return this.makeStore()
      .open()
      .then(
        () => {
          throw new Error('the store has opened')
        },
        (error: StoreError) => error,
      )
  }

  /** Changes what LevelDB holds, without the adapter. */
  async withLevel(
    change: (level: ClassicLevel<Uint8Array, Uint8Array>) => Promise<void>,
  ): Promise<void> {
    const level = new ClassicLevel<Uint8Array, Uint8Array>(join(this.path, 'store'), {
      keyEncoding: 'view',
      valueEncoding: 'view',
    })
    await level.open()
    await change(level)
    await level.close()
  }

  /** Paths of LevelDB's files with this ending, the oldest first. */
  async filesOfLevel(ending: string): Promise<string[]> {
    const names = await readdir(join(this.path, 'store'))
    const wanted = names.filter((name) => name.endsWith(ending)).toSorted()
    return wanted.map((name) => join(this.path, 'store', name))
  }
}

function neverCalled(error: StoreError): void {
  throw error
}
