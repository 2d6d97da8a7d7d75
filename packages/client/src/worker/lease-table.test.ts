// Laws of the lease table and of its view from the other thread.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LeaseTable } from './lease-table.ts'
import { LeaseView } from './lease-view.ts'

function anId(seed: number): Uint8Array {
  return new Uint8Array(16).fill(seed)
}

describe('LeaseTable', () => {
  it('shows its leases and the claims received to the view', () => {
    const table = new LeaseTable(4)
    table.add(anId(1), 2 ** 52 + 1)
    const second = table.add(anId(2), 7)
    table.setReceived(9)

    const { received, leases } = new LeaseView(table.buffer).read()

    expect(received).toBe(9)
    expect(leases).toMatchObject([
      { id: anId(1), token: 2 ** 52 + 1 },
      { id: anId(2), token: 7, slot: second.slot, stamp: second.stamp },
    ])
    expect([table.count, table.freeCount]).toEqual([2, 2])
  })

  it('gives a slot to another lease once it is removed, and is safe to remove twice', () => {
    const table = new LeaseTable(1)
    const first = table.add(anId(1), 1)
    table.remove(first)
    const second = table.add(anId(2), 2)

    table.remove(first)

    expect(new LeaseView(table.buffer).read().leases).toMatchObject([{ token: 2 }])
    expect(second.slot).toBe(first.slot)
    expect(() => table.add(anId(3), 3)).toThrow('lease table')
  })

  it('knows when a lease was renewed, but not for an earlier lease of its slot', () => {
    const table = new LeaseTable(1)
    const view = new LeaseView(table.buffer)
    const first = table.add(anId(1), 1)
    const [seen] = view.read().leases
    if (seen === undefined) throw new Error('the lease is not seen')
    expect(table.renewedAtMs(first)).toBe(0)

    view.renew(seen, 1_234.9)
    view.setAnswered(1_234.9)
    expect(table.renewedAtMs(first)).toBe(1_234)
    expect(table.answeredAtMs).toBe(1_234)
    table.remove(first)
    const second = table.add(anId(2), 2)

    expect(table.renewedAtMs(second)).toBe(0)
  })

  it('agrees with a plain map, whatever is added and removed', () => {
    const property = fc.property(fc.array(fc.integer({ min: 0, max: 9 })), (steps) => {
      const table = new LeaseTable(10)
      const view = new LeaseView(table.buffer)
      const model = new Map<number, { slot: number; stamp: number }>()
      for (const token of steps) {
        const held = model.get(token)
        if (held === undefined) model.set(token, table.add(anId(token), token))
        else table.remove(held)
        if (held !== undefined) model.delete(token)
        const tokens = view.read().leases.map((lease) => lease.token)
        expect(new Set(tokens)).toEqual(new Set(model.keys()))
        expect(table.freeCount).toBe(10 - model.size)
      }
    })
    fc.assert(property)
  })
})
