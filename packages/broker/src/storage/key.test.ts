// Keys: their bytes are fixed, they are read back, and their byte order is the order of a scan.
import { slotOfTaskId, SLOT_COUNT, type TaskIdBytes } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import {
  chapterOfHistoryKey,
  dedupeByAgeKey,
  dedupeKey,
  type DoneByEnd,
  doneByEndKey,
  doneByEndRange,
  ENGINE_KEY,
  FAMILIES,
  type Family,
  familyRange,
  historyKey,
  journalKey,
  lsnOfJournalKey,
  parseDedupeByAgeKey,
  parseDoneByEndKey,
  queueKey,
  sessionRecordKey,
  successor,
  taskIdOfKey,
  taskKey,
} from './key.ts'

const RUNS = 500
const INSTANT_MAX = Number.MAX_SAFE_INTEGER

/** Its slot is 0x2aa: six bits of byte 8 and four of byte 9. */
const ID = bytes('018f00000001 7abc aaab ccddeeff0011')
const SESSION = bytes('00112233445566778899aabbccddeeff')

const anId: fc.Arbitrary<TaskIdBytes> = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((id) => id.with(6, 0x70 | ((id[6] ?? 0) & 0xf)).with(8, 0x80 | ((id[8] ?? 0) & 0x3f)))
const aSlot = fc.nat({ max: SLOT_COUNT - 1 })
const aUint32 = fc.oneof(fc.constantFrom(0, 2 ** 32 - 1), fc.nat({ max: 2 ** 31 - 1 }))
const anInstant = fc.oneof(fc.constantFrom(0, INSTANT_MAX), fc.maxSafeNat())
const aDoneByEnd: fc.Arbitrary<DoneByEnd> = fc.record({
  slot: aSlot,
  queueNumber: aUint32,
  endClass: fc.constantFrom('done', 'dead'),
  endMs: anInstant,
  id: anId,
})

describe('key', () => {
  it.each<[string, Uint8Array, string]>([
    ['engine', ENGINE_KEY, '00 656e67696e65'],
    ['task', taskKey('task', ID), '01 02aa 018f000000017abcaaabccddeeff0011'],
    ['payload', taskKey('payload', ID), '02 02aa 018f000000017abcaaabccddeeff0011'],
    ['done', taskKey('done', ID), '03 02aa 018f000000017abcaaabccddeeff0011'],
    [
      'done-by-end of a completed task',
      doneByEndKey({
        slot: 682,
        queueNumber: 7,
        endClass: 'done',
        endMs: 1_800_000_000_000,
        id: ID,
      }),
      '04 02aa 00000007 00 000001a3185c5000 018f000000017abcaaabccddeeff0011',
    ],
    [
      'done-by-end of a dead task',
      doneByEndKey({ slot: 682, queueNumber: 7, endClass: 'dead', endMs: 0, id: ID }),
      '04 02aa 00000007 01 0000000000000000 018f000000017abcaaabccddeeff0011',
    ],
    ['history', historyKey(ID, 258), '05 02aa 018f000000017abcaaabccddeeff0011 00000102'],
    ['dedupe', dedupeKey(682, 7, 'ké'), '06 02aa 00000007 6bc3a9'],
    [
      'dedupe-by-age',
      dedupeByAgeKey(1_800_000_000_000, dedupeKey(682, 7, 'ké')),
      '07 0000 000001a3185c5000 02aa 00000007 6bc3a9',
    ],
    ['queue', queueKey(1023, 2 ** 32 - 1), '08 03ff ffffffff'],
    ['session', sessionRecordKey(SESSION), '09 0000 00112233445566778899aabbccddeeff'],
    ['journal', journalKey(2 ** 53 - 1), '0a 0000 001fffffffffffff'],
  ])('of kind %s has these bytes', (_, key, golden) => {
    expect(hex(key)).toBe(golden.replaceAll(' ', ''))
  })

  it('begins with the byte of its family', () => {
    expect(FAMILIES).toEqual({
      meta: 0,
      task: 1,
      payload: 2,
      done: 3,
      doneByEnd: 4,
      history: 5,
      dedupe: 6,
      dedupeByAge: 7,
      queue: 8,
      session: 9,
      journal: 10,
    })
  })

  it('is read back, from any place in a buffer', () => {
    const property = fc.property(
      anId,
      aUint32,
      aDoneByEnd,
      anInstant,
      (id, chapter, entry, lsn) => {
        expect(taskIdOfKey(within(taskKey('done', id)))).toEqual(id)
        expect(chapterOfHistoryKey(within(historyKey(id, chapter)))).toBe(chapter)
        expect(parseDoneByEndKey(within(doneByEndKey(entry)))).toEqual(entry)
        expect(lsnOfJournalKey(within(journalKey(lsn)))).toBe(lsn)
      },
    )
    assertProperty(property, RUNS)
  })

  it('of an idempotency key is read back from its age, whatever its text', () => {
    const property = fc.property(aSlot, aUint32, aText(), anInstant, (slot, queue, text, atMs) => {
      const dedupe = dedupeKey(slot, queue, text)

      expect(parseDedupeByAgeKey(within(dedupeByAgeKey(atMs, dedupe)))).toEqual({ atMs, dedupe })
    })
    assertProperty(property, RUNS)
  })

  it('gives an id that holds no page of the disk in memory', () => {
    const page = Buffer.concat([Buffer.alloc(4096), taskKey('task', ID)])

    expect(taskIdOfKey(page.subarray(4096)).buffer.byteLength).toBe(16)
  })
})

describe('order of keys', () => {
  it('is by slot, then by id, for all that belongs to a task', () => {
    const property = fc.property(anId, anId, aUint32, aUint32, (one, other, first, second) => {
      const bySlot = slotOfTaskId(one) - slotOfTaskId(other) || Buffer.compare(one, other)
      for (const family of ['task', 'payload', 'done'] as const) {
        expectOrder(bySlot, taskKey(family, one), taskKey(family, other))
      }
      expectOrder(bySlot || first - second, historyKey(one, first), historyKey(other, second))
    })
    assertProperty(property, RUNS)
  })

  it('is by queue, class, end and id for kept tasks, so that the oldest come first', () => {
    const property = fc.property(aDoneByEnd, aDoneByEnd, fc.nat({ max: 4 }), (one, two, equal) => {
      // Alike up to a field, so that each field gets to decide.
      const names = ['slot', 'queueNumber', 'endClass', 'endMs', 'id'] as const
      const shared = Object.fromEntries(names.slice(0, equal).map((name) => [name, one[name]]))
      const other: DoneByEnd = { ...two, ...shared }
      const wanted =
        one.slot - other.slot ||
        one.queueNumber - other.queueNumber ||
        Number(one.endClass === 'dead') - Number(other.endClass === 'dead') ||
        one.endMs - other.endMs ||
        Buffer.compare(one.id, other.id)

      expectOrder(wanted, doneByEndKey(one), doneByEndKey(other))
    })
    assertProperty(property, RUNS)
  })

  it('is by age for idempotency keys, and by number for queues and commits', () => {
    const property = fc.property(anInstant, anInstant, aSlot, aText(), (one, other, slot, text) => {
      const dedupe = dedupeKey(slot, 1, text)
      expectOrder(one - other, dedupeByAgeKey(one, dedupe), dedupeByAgeKey(other, dedupe))
      expectOrder(one - other, journalKey(one), journalKey(other))
      const [a, b] = [one % 2 ** 32, other % 2 ** 32]
      expectOrder(a - b, queueKey(slot, a), queueKey(slot, b))
    })
    assertProperty(property, RUNS)
  })
})

describe('range of keys', () => {
  const families = Object.keys(FAMILIES) as Family[]

  it('of a family holds every key of it and no other', () => {
    const property = fc.property(
      fc.constantFrom(...families),
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      (family, key) => {
        expect(isWithin(key, familyRange(family))).toBe(key[0] === FAMILIES[family])
      },
    )
    assertProperty(property, RUNS)
  })

  it('of a slot holds just the keys of that slot', () => {
    const property = fc.property(anId, aSlot, (id, slot) => {
      const range = familyRange('task', slot)

      expect(isWithin(taskKey('task', id), familyRange('task', slotOfTaskId(id)))).toBe(true)
      expect(isWithin(taskKey('task', id), range)).toBe(slotOfTaskId(id) === slot)
      expect(isWithin(taskKey('payload', id), range)).toBe(false)
    })
    assertProperty(property, RUNS)
  })

  it('of kept tasks holds just one queue and class', () => {
    const property = fc.property(aDoneByEnd, aDoneByEnd, (one, other) => {
      const isSame =
        one.slot === other.slot &&
        one.queueNumber === other.queueNumber &&
        one.endClass === other.endClass

      expect(isWithin(doneByEndKey(one), doneByEndRange(one))).toBe(true)
      expect(isWithin(doneByEndKey(other), doneByEndRange(one))).toBe(isSame)
    })
    assertProperty(property, RUNS)
  })

  it('ends at the smallest key after all that begin so', () => {
    expect(hex(successor(Uint8Array.of(1, 2)))).toBe('0103')
    expect(hex(successor(Uint8Array.of(1, 0xff)))).toBe('02')
    expect(hex(successor(Uint8Array.of(0xff)))).toBe('ffff')
  })
})

function aText(): fc.Arbitrary<string> {
  return fc.string({ unit: 'grapheme', maxLength: 60 })
}

function expectOrder(wanted: number, one: Uint8Array, other: Uint8Array): void {
  expect(Math.sign(Buffer.compare(one, other))).toBe(Math.sign(wanted))
}

function isWithin(key: Uint8Array, range: { from: Uint8Array; to: Uint8Array }): boolean {
  return Buffer.compare(key, range.from) >= 0 && Buffer.compare(key, range.to) < 0
}

/** The same bytes as a view into a larger Buffer, as LevelDB may give them. */
function within(key: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.alloc(5, 0xee), key, Buffer.alloc(3, 0xee)]).subarray(
    5,
    5 + key.length,
  )
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString('hex')
}
