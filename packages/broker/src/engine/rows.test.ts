// Rows: a growing buffer of fixed width, whose released rows are used again.

import { InvariantError } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { NO_ROW, type Row, Rows } from './rows.ts'

describe('Rows', () => {
  it('gives rows of zeros, one after the other', () => {
    const rows = new Rows({ words: 4, capacity: 2 })

    expect([rows.acquire(), rows.acquire(), rows.acquire()]).toEqual([0, 1, 2])
    expect([...rows.u32.subarray(0, 12)]).toEqual(Array.from({ length: 12 }, () => 0))
    expect([rows.count, rows.end, rows.bytes]).toEqual([3, 3, 48])
  })

  it('keeps what was written while it grows', () => {
    const rows = new Rows({ words: 2, capacity: 1 })
    const written = Array.from({ length: 100 }, (_, index) => {
      const row = rows.acquire()
      rows.f64[row * rows.doubles] = index / 3
      return row
    })

    expect(written.map((row) => rows.f64[row * rows.doubles])).toEqual(
      written.map((_, index) => index / 3),
    )
  })

  it('uses the row that was released last, and hands it out full of zeros', () => {
    const rows = new Rows({ words: 4, capacity: 8 })
    const [first, second] = [rows.acquire(), rows.acquire()]
    rows.u32.fill(0xffff_ffff, 0, 8)
    rows.release(first)
    rows.release(second)

    const again = rows.acquire()

    expect(again).toBe(second)
    expect([...rows.u32.subarray(again * 4, again * 4 + 4)]).toEqual([0, 0, 0, 0])
    expect(rows.acquire()).toBe(first)
    expect(rows.acquire()).toBe(2)
  })

  it('leaves nothing of a released row but the link to the next free one', () => {
    const rows = new Rows({ words: 4, capacity: 8 })
    const [first, second] = [rows.acquire(), rows.acquire()]
    rows.u32.fill(7, 0, 8)

    rows.release(second)
    rows.release(first)

    expect([...rows.u32.subarray(0, 8)]).toEqual([second, 0, 0, 0, NO_ROW, 0, 0, 0])
  })

  it('refuses a width that would not align doubles', () => {
    expect(() => new Rows({ words: 3, capacity: 1 })).toThrow(InvariantError)
  })

  describe('properties', () => {
    it('never hands out a row that is in use, and uses all released ones before new ones', () => {
      const anyChange = fc.option(fc.nat(), { freq: 2 }) // null acquires, a number releases
      const property = fc.property(fc.array(anyChange, { maxLength: 200 }), (changes) => {
        const rows = new Rows({ words: 2, capacity: 1 })
        const inUse: { readonly row: Row; readonly mark: number }[] = []
        let most = 0
        for (const [mark, change] of changes.entries()) {
          if (change === null) {
            const row = rows.acquire()
            expect([rows.u32[row * 2], rows.u32[row * 2 + 1]]).toEqual([0, 0])
            rows.f64[row] = mark
            inUse.push({ row, mark })
          } else if (inUse.length > 0) {
            const [gone] = inUse.splice(change % inUse.length, 1)
            if (gone !== undefined) rows.release(gone.row)
          }
          most = Math.max(most, inUse.length)
          expect([rows.count, rows.end]).toEqual([inUse.length, most])
          for (const { row, mark: written } of inUse) expect(rows.f64[row]).toBe(written)
        }
      })
      assertProperty(property, 200)
    })
  })
})
