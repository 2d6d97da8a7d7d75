// A live task's record: whatever the row holds comes back, and no damage to it goes unnoticed.
import { CorruptRecordError, seal, SEAL_BYTES, unseal } from './sealed.ts'
import { TASK_STATES } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { aState, aTaskWish, expectDetected, place, SESSION } from '../../test/record-builder.ts'
import { NO_ROW } from '../engine/rows.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { taskKey } from './key.ts'
import { decodeTask, encodeTask, TASK_RECORD_VERSION, type TaskRecord } from './task-record.ts'

describe('task record', () => {
  it('gives back all that the row holds', () => {
    const property = fc.property(aTaskWish, (wish) => {
      const state = aState()
      const task = place(state, wish)
      const { core, lease, cancelNote } = wish
      const isHeld = TASK_STATES[core.state].held
      const { id, ...fields } = core

      const key = taskKey('task', id)
      const record = decode(key, encodeTask(new ByteWriter(), key, { state, task }))

      expect(record.core).toEqual({ ...fields, profileText: state.profileOf(task).text })
      expect(record.cancelNote).toBe(core.cancelRequested ? cancelNote : undefined)
      expect(record.lease === undefined).toBe(!isHeld)
      if (record.lease === undefined) return
      const row = state.tasks.lease(task)
      expect(row).not.toBe(NO_ROW)
      expect(record.lease).toEqual({
        session: SESSION,
        token: lease.token,
        claim: lease.claim,
        leaseMs: lease.leaseMs,
        assignedAtMs: lease.assignedAtMs,
        startedAtMs: state.leases.startedAtMs(row),
        deadlineTickMs: state.leases.deadlineTickMs(row),
      })
    })
    assertProperty(property, 500)
  })

  it('is told from every damage, and from another task', () => {
    const property = fc.property(aTaskWish, (wish) => {
      const state = aState()
      const key = taskKey('task', wish.core.id)
      const value = encodeTask(new ByteWriter(), key, { state, task: place(state, wish) })

      expectDetected(key, value, decode)
    })
    assertProperty(property, 20)
  })

  it('is read from the middle of a page', () => {
    const state = aState()
    const [wish] = fc.sample(aTaskWish, { numRuns: 1, seed: 1 })
    if (wish === undefined) throw new Error('there is a sample')
    const key = taskKey('task', wish.core.id)
    const value = encodeTask(new ByteWriter(), key, { state, task: place(state, wish) })
    const page = Buffer.concat([Buffer.alloc(9), value, Buffer.alloc(9)])

    const record = decode(key, page.subarray(9, 9 + value.length))

    expect(record).toEqual(decode(key, value))
    if (record.lease !== undefined) expect(record.lease.session.buffer.byteLength).toBe(16)
  })

  it.each([0, 1, 11, 255])('with a state of number %i is damaged', (code) => {
    const state = aState()
    const [wish] = fc.sample(aTaskWish, { numRuns: 1, seed: 1 })
    if (wish === undefined) throw new Error('there is a sample')
    const key = taskKey('task', wish.core.id)
    const value = encodeTask(new ByteWriter(), key, { state, task: place(state, wish) })
    value[SEAL_BYTES] = code
    seal(key, value, TASK_RECORD_VERSION)

    expect(() => decode(key, value)).toThrow(CorruptRecordError)
    expect(() => decode(key, value)).toThrow(`no state has the number ${code}`)
  })
})

function decode(key: Uint8Array, value: Uint8Array): TaskRecord {
  unseal(key, value, TASK_RECORD_VERSION)
  return decodeTask(new ByteReader(value, SEAL_BYTES))
}
