// The table of leases: each field is kept apart from its neighbours.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { LeaseTable } from './lease-table.ts'
import { NO_ROW, type Row } from './rows.ts'

const word = fc.nat(0xffff_ffff)
const double = fc.double({ noNaN: true, noDefaultInfinity: true })

const FIELDS = {
  token: field(
    double,
    (t, row, v) => t.setToken(row, v),
    (t, row) => t.token(row),
  ),
  endTickMs: field(
    double,
    (t, row, v) => t.setEndTickMs(row, v),
    (t, row) => t.endTickMs(row),
  ),
  deadlineTickMs: field(
    double,
    (t, row, v) => t.setDeadlineTickMs(row, v),
    (t, row) => t.deadlineTickMs(row),
  ),
  assignedAtMs: field(
    double,
    (t, row, v) => t.setAssignedAtMs(row, v),
    (t, row) => t.assignedAtMs(row),
  ),
  startedAtMs: field(
    double,
    (t, row, v) => t.setStartedAtMs(row, v),
    (t, row) => t.startedAtMs(row),
  ),
  previous: field(
    word,
    (t, row, v) => t.setPrevious(row, v),
    (t, row) => t.previous(row),
  ),
  next: field(
    word,
    (t, row, v) => t.setNext(row, v),
    (t, row) => t.next(row),
  ),
  claim: field(
    word,
    (t, row, v) => t.setClaim(row, v),
    (t, row) => t.claim(row),
  ),
  leaseMs: field(
    word,
    (t, row, v) => t.setLeaseMs(row, v),
    (t, row) => t.leaseMs(row),
  ),
  percent: field(
    fc.nat(100),
    (t, row, v) => t.setPercent(row, v),
    (t, row) => t.percent(row),
  ),
}

describe('LeaseTable', () => {
  it('gives a new lease its task and session, no neighbours, and no progress', () => {
    const table = new LeaseTable(1)
    const lease = table.acquire(17, 3)

    expect([table.task(lease), table.session(lease)]).toEqual([17, 3])
    expect([table.previous(lease), table.next(lease)]).toEqual([NO_ROW, NO_ROW])
    expect([table.percent(lease), table.startedAtMs(lease), table.count]).toEqual([undefined, 0, 1])
  })

  it('tells progress of 0 percent from no progress', () => {
    const table = new LeaseTable(1)
    const lease = table.acquire(0, 0)

    table.setPercent(lease, 0)

    expect(table.percent(lease)).toBe(0)
  })

  it('forgets everything of a lease that is released', () => {
    const table = new LeaseTable(1)
    const lease = table.acquire(17, 3)
    table.setPercent(lease, 50)
    table.setToken(lease, 9)

    table.release(lease)
    const again = table.acquire(18, 4)

    expect(again).toBe(lease)
    expect([table.percent(again), table.token(again), table.task(again)]).toEqual([
      undefined,
      0,
      18,
    ])
  })

  describe('properties', () => {
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
        const table = new LeaseTable(1)
        const leases = [10, 20, 30].map((task) => table.acquire(task, task + 1))
        const model = leases.map(() => new Map<string, unknown>())
        for (const { name, which, value } of writes) {
          FIELDS[name].write(table, leases[which] as Row, value)
          model[which]?.set(name, value)
        }
        for (const [which, lease] of leases.entries()) {
          for (const [name, value] of model[which] ?? []) {
            expect([name, FIELDS[name as keyof typeof FIELDS].read(table, lease)]).toEqual([
              name,
              value,
            ])
          }
          expect([table.task(lease), table.session(lease)]).toEqual([
            10 * (which + 1),
            10 * (which + 1) + 1,
          ])
        }
      })
      assertProperty(property, 200)
    })
  })
})

interface Field {
  readonly values: fc.Arbitrary<unknown>
  readonly write: (table: LeaseTable, row: Row, value: unknown) => void
  readonly read: (table: LeaseTable, row: Row) => unknown
}

function field<V>(
  values: fc.Arbitrary<V>,
  write: (table: LeaseTable, row: Row, value: V) => void,
  read: (table: LeaseTable, row: Row) => V | undefined,
): Field {
  return { values, read, write: (table, row, value) => write(table, row, value as V) }
}
