// The heap behaves as a list would that is sorted anew after each change.

import { InvariantError } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { Heap } from './heap.ts'
import { NO_ROW, type Row, Rows } from './rows.ts'

const PLACE_WORD = 0
const TIE_DOUBLE = 1

/** A table of rows and heaps over it; each new row has the next tie. */
class Bench {
  readonly rows = new Rows({ words: 4, capacity: 2 })
  readonly heap: Heap = this.aHeap()
  #tie = 0

  aHeap(): Heap {
    return new Heap({ rows: this.rows, placeWord: PLACE_WORD, tieDouble: TIE_DOUBLE })
  }

  aRow(tie?: number): Row {
    const row = this.rows.acquire()
    this.#tie += 1
    this.rows.f64[row * this.rows.doubles + TIE_DOUBLE] = tie ?? this.#tie
    return row
  }

  insert(key: number): Row {
    const row = this.aRow()
    this.heap.insert(row, key)
    return row
  }

  placeWordOf(row: Row): number {
    return this.rows.u32[row * this.rows.words + PLACE_WORD] as number
  }

  drain(heap: Heap = this.heap): Row[] {
    const rows: Row[] = []
    while (heap.size > 0) {
      rows.push(heap.first())
      heap.remove(heap.first())
    }
    return rows
  }
}

interface Member {
  readonly row: Row
  key: number
  readonly tie: number
}

/** The obvious slow heap. */
class SortedList {
  members: Member[] = []
  sort(): void {
    this.members.sort((a, b) => a.key - b.key || a.tie - b.tie)
  }
}

// Few keys, so that ties are common.
const anyKey = fc.integer({ min: -5, max: 5 })
const anyChange = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('insert' as const), key: anyKey }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('rekey' as const), which: fc.nat(), key: anyKey }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pop' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shift' as const), by: anyKey }) },
)

describe('Heap', () => {
  it('is empty at first: no first row, and its key is beyond all others', () => {
    const { heap } = new Bench()

    expect([heap.size, heap.first(), heap.firstKey()]).toEqual([0, NO_ROW, Infinity])
  })

  it('puts equal keys in the order of their ties', () => {
    const bench = new Bench()
    const late = bench.aRow(9)
    const early = bench.aRow(3)
    const middle = bench.aRow(5)

    for (const row of [late, early, middle]) bench.heap.insert(row, 100)

    expect(bench.drain()).toEqual([early, middle, late])
  })

  it('resets the place of a removed row, so that it may stand in another heap', () => {
    const bench = new Bench()
    const other = bench.aHeap()
    const row = bench.insert(1)
    bench.insert(2)

    bench.heap.remove(row)

    expect(bench.placeWordOf(row)).toBe(0)
    expect(bench.heap.has(row)).toBe(false)
    other.insert(row, 7)
    expect([other.has(row), bench.heap.has(row)]).toEqual([true, false])
  })

  it('does not mistake a row of another heap for its own, even at the same place', () => {
    const bench = new Bench()
    const other = bench.aHeap()
    const mine = bench.insert(1)
    const theirs = bench.aRow()
    other.insert(theirs, 1)

    expect([bench.heap.has(theirs), other.has(mine)]).toEqual([false, false])
    expect(() => bench.heap.remove(theirs)).toThrow(InvariantError)
    expect(() => bench.heap.changeKey(theirs, 2)).toThrow(InvariantError)
    expect(() => bench.heap.keyOf(theirs)).toThrow(InvariantError)
    expect(() => bench.heap.insert(theirs, 1)).toThrow('one heap at a time')
  })

  it('refuses to be filled unless it is empty', () => {
    const bench = new Bench()
    const row = bench.insert(1)

    expect(() => bench.heap.fill(Uint32Array.of(row), Float64Array.of(1))).toThrow(InvariantError)
  })

  it('takes rows again after it was filled with none', () => {
    const bench = new Bench()

    bench.heap.fill(new Uint32Array(0), new Float64Array(0))
    const rows = [3, 1, 2].map((key) => bench.insert(key))

    expect(bench.drain()).toEqual([rows[1], rows[2], rows[0]])
  })

  it('does not keep the arrays that it was filled from', () => {
    const bench = new Bench()
    const rows = Uint32Array.from([bench.aRow(), bench.aRow()])
    const keys = Float64Array.of(2, 1)
    bench.heap.fill(rows, keys)

    keys.fill(0)

    expect([bench.heap.firstKey(), bench.heap.first()]).toEqual([1, rows[1]])
  })

  describe('properties', () => {
    it('gives what a sorted list gives, whatever is inserted, removed and moved', () => {
      const property = fc.property(fc.array(anyChange, { maxLength: 120 }), (changes) => {
        const bench = new Bench()
        const model = new SortedList()
        for (const change of changes) {
          carryOut(bench, model, change)
          expectSame(bench, model)
        }
        const sorted = model.members.map(({ row }) => row)
        expect(bench.drain()).toEqual(sorted)
        for (const row of sorted) expect(bench.placeWordOf(row)).toBe(0)
      })
      assertProperty(property, 300)
    })

    it('is the same filled at once as filled one by one', () => {
      const property = fc.property(
        fc.array(anyKey, { maxLength: 100 }),
        fc.array(anyKey),
        (keys, more) => {
          const bench = new Bench()
          const members = keys.map(() => bench.aRow())
          bench.heap.fill(Uint32Array.from(members), Float64Array.from(keys))
          const sorted = members.toSorted(
            (a, b) =>
              (keys[members.indexOf(a)] as number) - (keys[members.indexOf(b)] as number) || a - b,
          )

          expect(members.every((row) => bench.heap.has(row))).toBe(true)
          expectHeapOrder(bench.heap)
          const extra = more.map((key) => bench.insert(key + 100))
          for (const row of extra) bench.heap.remove(row)
          expect(bench.drain()).toEqual(sorted)
        },
      )
      assertProperty(property, 200)
    })

    it('grows as far as it must', () => {
      const bench = new Bench()
      const rows = Array.from({ length: 5_000 }, (_, index) =>
        bench.insert((index * 7_919) % 5_000),
      )

      const drained = bench.drain()

      expect(drained).toHaveLength(5_000)
      expect(drained.map((row) => (rows.indexOf(row) * 7_919) % 5_000)).toEqual(
        Array.from({ length: 5_000 }, (_, index) => index),
      )
    })
  })
})

type Change = typeof anyChange extends fc.Arbitrary<infer T> ? T : never

function carryOut({ heap, ...bench }: Bench, model: SortedList, change: Change): void {
  const pick = (which: number): Member | undefined => model.members[which % model.members.length]
  switch (change.do) {
    case 'insert': {
      const row = bench.rows.acquire()
      const tie = 1_000_000 - row
      bench.rows.f64[row * bench.rows.doubles + TIE_DOUBLE] = tie
      heap.insert(row, change.key)
      model.members.push({ row, key: change.key, tie })
      break
    }
    case 'remove':
    case 'pop': {
      const member = change.do === 'pop' ? model.members[0] : pick(change.which)
      if (member === undefined) return
      heap.remove(member.row)
      model.members = model.members.filter((other) => other !== member)
      break
    }
    case 'rekey': {
      const member = pick(change.which)
      if (member === undefined) return
      heap.changeKey(member.row, change.key)
      member.key = change.key
      break
    }
    case 'shift':
      heap.addToAllKeys(change.by)
      for (const member of model.members) member.key += change.by
      break
  }
  model.sort()
}

function expectSame({ heap }: Bench, model: SortedList): void {
  const [first] = model.members
  expect(heap.size).toBe(model.members.length)
  expect(heap.first()).toBe(first?.row ?? NO_ROW)
  expect(heap.firstKey()).toBe(first?.key ?? Infinity)
  for (const { row, key } of model.members)
    expect([row, heap.has(row), heap.keyOf(row)]).toEqual([row, true, key])
  expectHeapOrder(heap)
}

function expectHeapOrder(heap: Heap): void {
  for (let place = 1; place < heap.size; place += 1) {
    expect(heap.keyAt((place - 1) >>> 1)).toBeLessThanOrEqual(heap.keyAt(place))
    expect(heap.has(heap.at(place))).toBe(true)
  }
}
