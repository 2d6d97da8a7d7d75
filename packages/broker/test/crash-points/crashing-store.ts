// A store in memory on which everything stops at its n-th call, before that call or after it.

import type { MemoryImage } from '../../src/storage/memory-image.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import {
  StoreError,
  type Batch,
  type CommitOutcome,
  type Entry,
  type KeyRange,
  type Opened,
  type Ownership,
  type Store,
} from '../../src/storage/port.ts'

/**
 * `before` and `after`: the process dies, and nothing is answered any more. `unknown`: a commit is
 * lost or applied, and fails. `rejects`: a read fails, once.
 */
export const CRASHES = ['before', 'after', 'unknown, lost', 'unknown, applied', 'rejects'] as const

export type Crash = (typeof CRASHES)[number]
export type PortCall = keyof Store

/** Counts the calls of all stores of one scenario. */
export interface CallCounter {
  /** At which call it happens; Infinity for never. */
  readonly at: number
  readonly crash: Crash
  readonly calls: PortCall[]
  /** The call at which it happened. */
  hit: PortCall | undefined
  /** The process has died: whoever waits for an answer hears that. */
  onDeath: () => void
}

export class CrashingStore implements Store {
  readonly #store: MemoryStore
  readonly #counter: CallCounter

  constructor(image: MemoryImage, counter: CallCounter) {
    this.#store = new MemoryStore(image)
    this.#counter = counter
  }

  open(): Promise<Opened> {
    return this.#call('open', () => this.#store.open())
  }

  async *load(range: KeyRange, pageSize: number): AsyncGenerator<readonly Entry[]> {
    const pages = this.#store.load(range, pageSize)
    for (;;) {
      const { value, done } = await this.#call('load', () => pages.next())
      if (done === true) return
      yield value
    }
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#call('getMany', () => this.#store.getMany(keys))
  }

  commit(ownership: Ownership, lsn: number, epoch: number, batch: Batch): Promise<CommitOutcome> {
    return this.#call('commit', () => this.#store.commit(ownership, lsn, epoch, batch))
  }

  reclaim(): Promise<void> {
    return this.#call('reclaim', () => this.#store.reclaim())
  }

  close(): Promise<void> {
    return this.#call('close', () => this.#store.close())
  }

  async #call<T>(name: PortCall, act: () => Promise<T>): Promise<T> {
    const counter = this.#counter
    if (counter.hit !== undefined && this.#isDeadly(name)) return never()
    counter.calls.push(name)
    if (counter.calls.length !== counter.at || !canHappen(counter.crash, name)) return act()
    counter.hit = name
    switch (counter.crash) {
      case 'before':
        return this.#die()
      case 'after':
        await act()
        return this.#die()
      case 'unknown, lost':
        return 'unknown' as T
      case 'unknown, applied':
        await act()
        return 'unknown' as T
      case 'rejects':
        throw new StoreError('IO', 'the disk did not answer')
    }
  }

  #isDeadly(name: PortCall): boolean {
    const { crash } = this.#counter
    return crash === 'before' || crash === 'after' || (crash !== 'rejects' && name === 'commit')
  }

  #die(): Promise<never> {
    this.#counter.onDeath()
    return never()
  }
}

/** Whether it can happen to a call of this name. */
export function canHappen(crash: Crash, name: PortCall): boolean {
  if (crash === 'before') return true
  if (crash === 'rejects') return name !== 'commit' && name !== 'close'
  // What is read and never told is like what is never read; opening takes the ownership.
  return name === 'commit' || (crash === 'after' && name === 'open')
}

/** What a dead process answers. */
function never(): Promise<never> {
  return new Promise(() => {})
}
