// The leaves behave as one sorted list would.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OrderedEntries } from './ordered-entries.ts'
import type { KeyRange } from './port.ts'

const anyKey = fc.uint8Array({ minLength: 1, maxLength: 2 })
const anyChange = fc.oneof(
  { weight: 3, arbitrary: fc.record({ key: anyKey, value: fc.option(fc.nat(255)) }) },
  // Runs of neighbours, so that leaves split and empty.
  {
    weight: 1,
    arbitrary: fc.record({ from: fc.nat(200), count: fc.nat(300), value: fc.option(fc.nat(255)) }),
  },
)

describe('OrderedEntries', () => {
  it('gives what a sorted list gives, forwards and backwards, and by key', () => {
    const property = fc.property(
      fc.array(anyChange, { maxLength: 30 }),
      anyKey,
      anyKey,
      (changes, from, to) => {
        const entries = new OrderedEntries()
        const model = new Map<string, number>()
        for (const { key, value } of changes.flatMap(spread)) {
          if (value === null) {
            entries.delete(key)
            model.delete(hex(key))
          } else {
            entries.set(key, Uint8Array.of(value))
            model.set(hex(key), value)
          }
        }

        const within = [...model].filter(([key]) => key >= hex(from) && key < hex(to)).sort(byKey)

        expect(listed(entries, { from, to })).toEqual(within)
        expect(listed(entries, { from, to, reverse: true })).toEqual(within.toReversed())
        for (const key of [from, to]) expect(entries.get(key)?.[0]).toBe(model.get(hex(key)))
      },
    )
    fc.assert(property)
  })

  it('keeps a snapshot and a listing apart from later changes', () => {
    const entries = new OrderedEntries()
    for (let key = 0; key < 200; key += 1) entries.set(Uint8Array.of(key), Uint8Array.of(1))
    const range = { from: Uint8Array.of(0), to: Uint8Array.of(255) }

    const snapshot = entries.snapshot()
    const listing = entries.entries(range)
    for (let key = 0; key < 200; key += 1) entries.delete(Uint8Array.of(key))
    snapshot.set(Uint8Array.of(250), Uint8Array.of(1))

    expect(listing).toHaveLength(200)
    expect(listed(snapshot, range)).toHaveLength(201)
    expect(listed(entries, range)).toHaveLength(0)
  })
})

interface Change {
  readonly key: Uint8Array
  readonly value: number | null
}

function spread(change: Change | { from: number; count: number; value: number | null }): Change[] {
  if ('key' in change) return [change]
  const { from, count, value } = change
  return Array.from({ length: count }, (_, index) => {
    const number = from * 256 + index
    return { key: Uint8Array.of(number >>> 8, number & 255), value }
  })
}

function listed(entries: OrderedEntries, range: KeyRange): [string, number | undefined][] {
  return [...entries.entries(range)].map(([key, value]) => [hex(key), value[0]])
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString('hex')
}

function byKey([one]: [string, number], [other]: [string, number]): number {
  return one < other ? -1 : 1
}
