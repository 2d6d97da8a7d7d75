// How the journal stays within its bounds, over restarts as well.
import { limits } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { JournalKeeper } from './journal-keeper.ts'
import { lsnOfJournalKey } from './key.ts'

const MIB = 1024 * 1024
const LIMITS = { ageMsMax: 1_000, bytesMax: 4 * MIB }

describe('JournalKeeper', () => {
  it('keeps everything within its bounds', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 0 })
    for (let lsn = 1; lsn <= 3; lsn += 1) keeper.note({ lsn, bytes: MIB, tickMs: lsn })

    expect(keeper.trim(1_000)).toBeUndefined()
    expect(keeper.bytes).toBe(3 * MIB)
    expect(keeper.fromLsn).toBe(1)
  })

  it('lets the oldest segment go when it is too old', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 0 })
    keeper.note({ lsn: 1, bytes: MIB, tickMs: 100 })
    keeper.note({ lsn: 2, bytes: MIB, tickMs: 900 })

    expect(keeper.trim(1_100)).toBeUndefined()
    expect(keeper.trim(1_101)).toEqual({ fromLsn: 1, toLsn: 2 })
    expect(keeper.fromLsn).toBe(2)
    expect(keeper.bytes).toBe(MIB)
  })

  it('judges a segment by its youngest record', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 0 })
    keeper.note({ lsn: 1, bytes: MIB - 1, tickMs: 0 })
    keeper.note({ lsn: 2, bytes: 1, tickMs: 500 })
    keeper.note({ lsn: 3, bytes: 1, tickMs: 500 })

    expect(keeper.trim(1_500)).toBeUndefined()
    expect(keeper.trim(1_501)).toEqual({ fromLsn: 1, toLsn: 3 })
  })

  it('lets the oldest segments go when there are too many bytes', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 0 })
    for (let lsn = 1; lsn <= 6; lsn += 1) keeper.note({ lsn, bytes: MIB, tickMs: 0 })

    expect(keeper.trim(0)).toEqual({ fromLsn: 1, toLsn: 2 })
    expect(keeper.trim(0)).toEqual({ fromLsn: 2, toLsn: 3 })
    expect(keeper.trim(0)).toBeUndefined()
  })

  it('always keeps the newest segment, whatever its age and bytes', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 0 })
    expect(keeper.trim(99_999)).toBeUndefined()

    keeper.note({ lsn: 1, bytes: 100 * MIB, tickMs: 0 })

    expect(keeper.trim(99_999)).toBeUndefined()
  })

  it('gives up at most a thousand commits in one step', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 0 })
    for (let lsn = 1; lsn <= 2_500; lsn += 1) keeper.note({ lsn, bytes: 10, tickMs: 0 })

    expect(keeper.trim(99_999)).toEqual({ fromLsn: 1, toLsn: 1 + limits.STEP_ITEMS_MAX })
    expect(keeper.trim(99_999)).toEqual({ fromLsn: 1_001, toLsn: 2_001 })
    expect(keeper.trim(99_999)).toBeUndefined()
  })
})

describe('JournalKeeper after a restart', () => {
  it('asks for the records of earlier runs', () => {
    const { from, to } = new JournalKeeper(LIMITS, { fromLsn: 7, lsn: 90 }).oldRange

    expect([lsnOfJournalKey(from), lsnOfJournalKey(to)]).toEqual([7, 91])
  })

  it('keeps them until they were looked at, and what came after them', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 500_000 })
    for (let lsn = 500_001; lsn < 500_010; lsn += 1) keeper.note({ lsn, bytes: MIB, tickMs: 0 })

    expect(keeper.trim(99_999)).toBeUndefined()
    expect(keeper.fromLsn).toBe(1)
  })

  it('counts them against its bounds, and lets them go first', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 4 })
    for (let lsn = 1; lsn <= 4; lsn += 1) keeper.noteOld({ lsn, bytes: MIB, tickMs: 900 })
    expect(keeper.trim(900)).toBeUndefined()

    keeper.note({ lsn: 5, bytes: 1, tickMs: 900 })

    expect(keeper.bytes).toBe(4 * MIB + 1)
    expect(keeper.trim(900)).toEqual({ fromLsn: 1, toLsn: 2 })
    expect(keeper.trim(900)).toBeUndefined()
    for (const fromLsn of [2, 3, 4]) {
      expect(keeper.trim(9_000)).toEqual({ fromLsn, toLsn: fromLsn + 1 })
    }
    expect(keeper.trim(9_000)).toBeUndefined()
    expect(keeper.fromLsn).toBe(5)
  })

  it('lets go of what was looked at while the rest is still being read', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 3 })
    keeper.note({ lsn: 4, bytes: MIB, tickMs: 0 })
    keeper.noteOld({ lsn: 1, bytes: MIB, tickMs: 0 })

    expect(keeper.trim(9_000)).toEqual({ fromLsn: 1, toLsn: 2 })
    expect(keeper.trim(9_000)).toBeUndefined()

    keeper.noteOld({ lsn: 2, bytes: 5, tickMs: 0 })
    keeper.noteOld({ lsn: 3, bytes: 5, tickMs: 0 })
    expect(keeper.trim(9_000)).toEqual({ fromLsn: 2, toLsn: 4 })
  })

  it('takes a record that cannot be read to be as old as the one before it', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 3 })
    keeper.noteOld({ lsn: 1, bytes: MIB, tickMs: undefined })
    keeper.noteOld({ lsn: 2, bytes: MIB - 1, tickMs: 500 })
    keeper.noteOld({ lsn: 3, bytes: 1, tickMs: undefined })
    keeper.note({ lsn: 4, bytes: 1, tickMs: 500 })

    expect(keeper.trim(1_001)).toEqual({ fromLsn: 1, toLsn: 2 })
    expect(keeper.trim(1_500)).toBeUndefined()
    expect(keeper.trim(1_501)).toEqual({ fromLsn: 2, toLsn: 4 })
  })

  it('goes on behind a hole', () => {
    const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: 5 })
    keeper.noteOld({ lsn: 2, bytes: MIB, tickMs: 0 })
    keeper.noteOld({ lsn: 5, bytes: MIB, tickMs: 0 })
    keeper.note({ lsn: 6, bytes: 1, tickMs: 0 })

    expect(keeper.trim(9_000)).toEqual({ fromLsn: 1, toLsn: 3 })
    expect(keeper.trim(9_000)).toEqual({ fromLsn: 3, toLsn: 6 })
  })

  it('gives up commits without a gap, down to its bounds, whatever came when', () => {
    const aRecord = fc.record({ bytes: fc.nat({ max: MIB }), afterMs: fc.nat({ max: 300 }) })
    const records = fc.array(aRecord, { maxLength: 60 })
    const property = fc.property(
      records,
      records,
      fc.nat({ max: 2_000 }),
      (old, young, laterMs) => {
        const keeper = new JournalKeeper(LIMITS, { fromLsn: 1, lsn: old.length })
        const kept = new Map<number, { readonly bytes: number; readonly tickMs: number }>()
        let tickMs = 0
        ;[...old, ...young].forEach(({ bytes, afterMs }, index) => {
          tickMs += afterMs
          const note = { lsn: index + 1, bytes, tickMs }
          if (index < old.length) keeper.noteOld(note)
          else keeper.note(note)
          kept.set(note.lsn, note)
        })
        tickMs += laterMs
        let next = 1
        for (let gone = keeper.trim(tickMs); gone !== undefined; gone = keeper.trim(tickMs)) {
          expect(gone.fromLsn).toBe(next)
          next = gone.toLsn
          for (let lsn = gone.fromLsn; lsn < gone.toLsn; lsn += 1) kept.delete(lsn)
        }
        const left = [...kept.values()]
        const bytes = left.reduce((sum, record) => sum + record.bytes, 0)
        expect(keeper.fromLsn).toBe(next)
        expect(keeper.bytes).toBe(bytes)
        // At most one segment too much: the newest, or the one that holds the border.
        expect(bytes).toBeLessThanOrEqual(LIMITS.bytesMax + 2 * MIB)
      },
    )
    assertProperty(property, 300)
  })
})
