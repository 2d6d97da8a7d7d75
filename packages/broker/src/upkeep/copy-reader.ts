// Reads a copy of a store entry by entry, and goes on behind what LevelDB cannot read.

import { isLevelDamage, levelSaid } from '../storage/raw-level.ts'
import type { Entry, KeyRange } from '../storage/port.ts'
import type { Level } from '../storage/store-verification.ts'

const PAGE_SIZE = 1_000
const PAGE_BYTES_MAX = 1024 * 1024

export class CopyReader {
  readonly #level: Level
  readonly #onUnreadable: (said: string, after: Uint8Array) => void

  /** @param onUnreadable Told what LevelDB says, and after which key it says so. */
  constructor(level: Level, onUnreadable: (said: string, after: Uint8Array) => void) {
    this.#level = level
    this.#onUnreadable = onUnreadable
  }

  /** Pages of what can be read. */
  async *pages(range: KeyRange): AsyncGenerator<readonly Entry[]> {
    let from = range.from
    // LevelDB leaves out blocks that it cannot read and says so at the end, for a whole page: what
    // else was on that page is asked for once more, one by one.
    for (const pageSize of [PAGE_SIZE, 1]) {
      const iterator = this.#level.iterator({
        gte: from,
        lt: range.to,
        fillCache: false,
        highWaterMarkBytes: PAGE_BYTES_MAX,
      })
      try {
        for (;;) {
          const page = await iterator.nextv(pageSize)
          const last = page.at(-1)
          if (last === undefined) return
          yield page
          from = after(last[0])
        }
      } catch (error) {
        if (!isLevelDamage(error)) throw error
        if (pageSize === 1) this.#onUnreadable(levelSaid(error), from)
      } finally {
        await iterator.close()
      }
    }
  }

  async *entries(range: KeyRange): AsyncGenerator<Entry> {
    for await (const page of this.pages(range)) yield* page
  }

  /** Values in the order of the keys; undefined for what is not there or cannot be read. */
  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return []
    try {
      return await this.#level.getMany([...keys])
    } catch (error) {
      if (!isLevelDamage(error)) throw error
      const [only] = keys
      if (keys.length === 1 && only !== undefined) {
        this.#onUnreadable(levelSaid(error), only)
        return [undefined]
      }
      const half = keys.length >>> 1
      return [
        ...(await this.getMany(keys.slice(0, half))),
        ...(await this.getMany(keys.slice(half))),
      ]
    }
  }
}

/** The next key in byte order. */
function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}
