// Keys and values in byte order, in memory; a snapshot costs next to nothing.

import type { Entry, KeyRange } from './port.ts'

/** Entries of a leaf: few enough to copy at each change, many enough to have few leaves. */
const LEAF_ENTRIES_MAX = 128

/** Never empty, never changed: a change makes a new one, so a snapshot may keep the old. */
type Leaf = readonly Entry[]

export class OrderedEntries {
  #leaves: Leaf[] = []

  /** The same entries; later changes of either do not show in the other. */
  snapshot(): OrderedEntries {
    const copy = new OrderedEntries()
    copy.#leaves = [...this.#leaves]
    return copy
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const leaf = this.#leaves[this.#leafOf(key)] ?? []
    const entry = leaf[firstNotBelow(leaf, key)]
    return entry !== undefined && isEqual(entry[0], key) ? entry[1] : undefined
  }

  set(key: Uint8Array, value: Uint8Array): void {
    const index = this.#leafOf(key)
    const leaf = this.#leaves[index] ?? []
    const at = firstNotBelow(leaf, key)
    const old = leaf[at]
    const replaced = old !== undefined && isEqual(old[0], key) ? 1 : 0
    const changed = leaf.toSpliced(at, replaced, [key, value])
    if (changed.length <= LEAF_ENTRIES_MAX) {
      this.#leaves[index] = changed
      return
    }
    const half = changed.length >>> 1
    this.#leaves.splice(index, 1, changed.slice(0, half), changed.slice(half))
  }

  delete(key: Uint8Array): void {
    const index = this.#leafOf(key)
    const leaf = this.#leaves[index] ?? []
    const at = firstNotBelow(leaf, key)
    const old = leaf[at]
    if (old === undefined || !isEqual(old[0], key)) return
    if (leaf.length === 1) this.#leaves.splice(index, 1)
    else this.#leaves[index] = leaf.toSpliced(at, 1)
  }

  /** The entries of the range, as they are now, in its order. */
  entries(range: KeyRange): Entry[] {
    const entries: Entry[] = []
    const last = this.#leafOf(range.to)
    for (let index = this.#leafOf(range.from); index <= last; index += 1) {
      const leaf = this.#leaves[index] ?? []
      const end = firstNotBelow(leaf, range.to)
      for (let at = firstNotBelow(leaf, range.from); at < end; at += 1) {
        entries.push(leaf[at] as Entry)
      }
    }
    return range.reverse === true ? entries.reverse() : entries
  }

  /** The last leaf that does not begin after the key, or the first one. */
  #leafOf(key: Uint8Array): number {
    let low = 0
    let high = this.#leaves.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      const first = this.#leaves[middle]?.[0]
      if (first !== undefined && Buffer.compare(first[0], key) <= 0) low = middle
      else high = middle
    }
    return low
  }
}

function firstNotBelow(leaf: Leaf, key: Uint8Array): number {
  let low = 0
  let high = leaf.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = leaf[middle]
    if (entry !== undefined && Buffer.compare(entry[0], key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
