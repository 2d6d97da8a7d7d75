// The table of tasks: each field is kept apart from its neighbours.

import { LIVE_STATES, TASK_ID_BYTES, TASK_STATE_NAMES, TERMINAL_STATES } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { aTaskId } from '../../test/task-builder.ts'
import { NO_ROW, type Row } from './rows.ts'
import {
  FLAG_BORN,
  FLAG_CANCEL_REQUESTED,
  FLAG_DIRTY,
  FLAG_KEYED,
  FLAG_PURGED,
  TaskTable,
  wordOfId,
} from './task-table.ts'

const FLAGS = [FLAG_CANCEL_REQUESTED, FLAG_DIRTY, FLAG_BORN, FLAG_KEYED, FLAG_PURGED]

const word = fc.nat(0xffff_ffff)
const double = fc.double({ noNaN: true, noDefaultInfinity: true })

/** Every field: how it is written, how it is read, and what may stand in it. */
const FIELDS = {
  state: field(
    fc.constantFrom(...TASK_STATE_NAMES),
    (t, row, v) => t.setState(row, v),
    (t, row) => t.state(row),
  ),
  priority: field(
    fc.nat(255),
    (t, row, v) => t.setPriority(row, v),
    (t, row) => t.priority(row),
  ),
  flags: field(
    fc.subarray(FLAGS).map((flags) => flags.reduce((all, flag) => all | flag, 0)),
    (t, row, v) => {
      for (const flag of FLAGS) {
        if ((v & flag) === 0) t.clearFlag(row, flag)
        else t.setFlag(row, flag)
      }
    },
    (t, row) => t.flags(row),
  ),
  profile: field(
    word,
    (t, row, v) => t.setProfile(row, v),
    (t, row) => t.profile(row),
  ),
  lease: field(
    word,
    (t, row, v) => t.setLease(row, v),
    (t, row) => t.lease(row),
  ),
  failuresAndLosses: field(
    fc.tuple(fc.nat(0xffff), fc.nat(0xffff)),
    (t, row, [failures, losses]) => t.setFailuresAndLosses(row, failures, losses),
    (t, row): [number, number] => [t.failures(row), t.losses(row)],
  ),
  chapters: field(
    word,
    (t, row, v) => t.setChapters(row, v),
    (t, row) => t.chapters(row),
  ),
  payloadBytes: field(
    word,
    (t, row, v) => t.setPayloadBytes(row, v),
    (t, row) => t.payloadBytes(row),
  ),
  timeoutMs: field(
    word,
    (t, row, v) => t.setTimeoutMs(row, v),
    (t, row) => t.timeoutMs(row),
  ),
  generation: field(
    word,
    (t, row, v) => t.setGeneration(row, v),
    (t, row) => t.generation(row),
  ),
  sequence: field(
    double,
    (t, row, v) => t.setSequence(row, v),
    (t, row) => t.sequence(row),
  ),
  rankBaseMs: field(
    double,
    (t, row, v) => t.setRankBaseMs(row, v),
    (t, row) => t.rankBaseMs(row),
  ),
  dueAt: field(
    double,
    (t, row, v) => t.setDueAt(row, v),
    (t, row) => t.dueAt(row),
  ),
  expiresAtMs: field(
    double,
    (t, row, v) => t.setExpiresAtMs(row, v),
    (t, row) => t.expiresAtMs(row),
  ),
  createdAtMs: field(
    double,
    (t, row, v) => t.setCreatedAtMs(row, v),
    (t, row) => t.createdAtMs(row),
  ),
  payloadPosition: field(
    double,
    (t, row, v) => t.setPayloadPosition(row, v),
    (t, row) => t.payloadPosition(row),
  ),
}

describe('TaskTable', () => {
  it('gives a new row its id, no lease, and zeros', () => {
    const table = new TaskTable(1)
    const row = table.acquire(aTaskId('mail', 7))

    expect(table.id(row)).toEqual(aTaskId('mail', 7))
    expect(table.lease(row)).toBe(NO_ROW)
    expect([table.failures(row), table.losses(row), table.attempt(row)]).toEqual([0, 0, 1])
    expect([table.isUsed(row), table.flags(row), table.count]).toEqual([false, 0, 1])
  })

  it('calls a row used while it has a state, whichever it is, and never after its release', () => {
    const table = new TaskTable(4)
    for (const state of [...LIVE_STATES, ...TERMINAL_STATES]) {
      const row = table.acquire(aTaskId('mail', 1))
      table.setState(row, state)

      expect(table.isUsed(row)).toBe(true)
      table.release(row)
      expect(table.isUsed(row)).toBe(false)
    }
    expect(table.count).toBe(0)
  })

  it('counts the attempt from failures and losses', () => {
    const table = new TaskTable(1)
    const row = table.acquire(aTaskId('mail', 1))

    table.setFailuresAndLosses(row, 3, 2)

    expect(table.attempt(row)).toBe(6)
  })

  it('writes an id into the midst of other bytes', () => {
    const table = new TaskTable(1)
    const row = table.acquire(aTaskId('mail', 5))
    const target = new Uint8Array(TASK_ID_BYTES + 2).fill(0xee)

    table.writeId(row, target, 1)

    expect([...target]).toEqual([0xee, ...aTaskId('mail', 5), 0xee])
  })

  describe('properties', () => {
    it('keeps any id, in bytes and in words', () => {
      const anyId = fc.uint8Array({ minLength: TASK_ID_BYTES, maxLength: TASK_ID_BYTES })
      const property = fc.property(anyId, (id) => {
        const table = new TaskTable(1)
        const row = table.acquire(id)
        expect(table.id(row)).toEqual(id)
        for (const at of [0, 1, 2, 3]) {
          expect(table.idWord(row, at)).toBe(wordOfId(id, at))
          expect(wordOfId(id, at)).toBe(Buffer.from(id).readUInt32LE(at * 4))
        }
      })
      assertProperty(property, 100)
    })

    it('keeps each field apart from all others, in any order of writing', () => {
      const anyWrite = fc.oneof(
        ...Object.entries(FIELDS).map(([name, { values }]) =>
          fc.record({
            name: fc.constant(name as keyof typeof FIELDS),
            which: fc.nat(2),
            value: values,
          }),
        ),
      )
      const property = fc.property(fc.array(anyWrite, { maxLength: 60 }), (writes) => {
        const table = new TaskTable(1)
        const rows = [1, 2, 3].map((number) => table.acquire(aTaskId('mail', number)))
        const model = rows.map(() => new Map<string, unknown>())
        for (const { name, which, value } of writes) {
          FIELDS[name].write(table, rows[which] as Row, value)
          model[which]?.set(name, value)
        }
        for (const [which, row] of rows.entries()) {
          for (const [name, value] of model[which] ?? []) {
            expect([name, FIELDS[name as keyof typeof FIELDS].read(table, row)]).toEqual([
              name,
              value,
            ])
          }
          expect(table.id(row)).toEqual(aTaskId('mail', which + 1))
        }
      })
      assertProperty(property, 200)
    })
  })
})

interface Field {
  readonly values: fc.Arbitrary<unknown>
  readonly write: (table: TaskTable, row: Row, value: unknown) => void
  readonly read: (table: TaskTable, row: Row) => unknown
}

function field<V>(
  values: fc.Arbitrary<V>,
  write: (table: TaskTable, row: Row, value: V) => void,
  read: (table: TaskTable, row: Row) => V,
): Field {
  return { values, read, write: (table, row, value) => write(table, row, value as V) }
}
