// The index finds what a map would find, also when all ids are made to collide.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { aTaskId } from '../../test/task-builder.ts'
import type { Row } from './rows.ts'
import { TaskIndex } from './task-index.ts'
import { TaskTable } from './task-table.ts'

/** Ids that differ in word 0 only: the hash does not look at it, so all begin at one place. */
function collidingId(number: number): Uint8Array {
  const id = aTaskId('mail', 1)
  new DataView(id.buffer).setUint32(0, number, true)
  return id
}

class Bench {
  readonly tasks = new TaskTable(4)
  readonly index: TaskIndex

  constructor(options: { readonly seed: number; readonly capacity: number }) {
    this.index = new TaskIndex(this.tasks, options)
  }

  add(id: Uint8Array): Row {
    const row = this.tasks.acquire(id)
    this.index.add(row)
    return row
  }

  remove(row: Row): void {
    this.index.remove(row)
    this.tasks.release(row)
  }
}

describe('TaskIndex', () => {
  it('finds nothing at first', () => {
    const { index } = new Bench({ seed: 1, capacity: 4 })

    expect([index.find(aTaskId('mail', 1)), index.size]).toEqual([undefined, 0])
  })

  it('tells ids apart that differ in one bit, wherever it is', () => {
    const bench = new Bench({ seed: 7, capacity: 4 })
    const ids = Array.from({ length: 128 }, (_, bit) => {
      const id = new Uint8Array(16)
      id[bit >>> 3] = 1 << (bit & 7)
      return id
    })

    const rows = ids.map((id) => bench.add(id))

    expect(ids.map((id) => bench.index.find(id))).toEqual(rows)
    expect(bench.index.find(new Uint8Array(16))).toBeUndefined()
  })

  it('keeps its entries while it grows', () => {
    const bench = new Bench({ seed: 3, capacity: 2 })
    const rows = Array.from({ length: 3_000 }, (_, number) => bench.add(aTaskId('mail', number)))

    expect(rows.map((_, number) => bench.index.find(aTaskId('mail', number)))).toEqual(rows)
    expect(bench.index.size).toBe(3_000)
  })

  it('closes the hole of a removed entry for those that collided with it', () => {
    const bench = new Bench({ seed: 0, capacity: 16 })
    const rows = Array.from({ length: 8 }, (_, number) => bench.add(collidingId(number)))

    bench.remove(rows[2] as Row)
    bench.remove(rows[0] as Row)

    const found = rows.map((_, number) => bench.index.find(collidingId(number)))
    expect(found).toEqual([undefined, rows[1], undefined, ...rows.slice(3)])
  })

  describe('properties', () => {
    const anyIdOf = { spread: (n: number) => aTaskId('mail', n), colliding: collidingId }
    // Half of the ids collide, the others land between them.
    const anyChange = fc.record({
      kind: fc.constantFrom('spread' as const, 'colliding' as const),
      number: fc.nat(30),
    })

    it('finds what a map finds, whatever is added and removed', () => {
      const property = fc.property(
        fc.array(anyChange, { maxLength: 150 }),
        fc.nat(0xffff_ffff),
        (changes, seed) => {
          const bench = new Bench({ seed, capacity: 2 })
          const model = new Map<string, { readonly row: Row; readonly id: Uint8Array }>()
          for (const { kind, number } of changes) {
            const id = anyIdOf[kind](number)
            const name = `${kind} ${number}`
            const known = model.get(name)
            if (known === undefined) {
              model.set(name, { row: bench.add(id), id })
            } else {
              bench.remove(known.row)
              model.delete(name)
            }
            expect(bench.index.size).toBe(model.size)
            for (const { row, id: ownId } of model.values())
              expect(bench.index.find(ownId)).toBe(row)
            if (known !== undefined) expect(bench.index.find(id)).toBeUndefined()
          }
        },
      )
      assertProperty(property, 300)
    })
  })
})
