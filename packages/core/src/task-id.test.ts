// Task ids: they only grow, carry their slot, and go through text unharmed.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hex, NOW_MS, TASK_1, TASK_2 } from '../test/golden-value.ts'
import { assertProperty } from '../test/property.ts'
import { slotOfQueue } from './slot.ts'
import {
  formatTaskId,
  isTaskIdBytes,
  parseTaskId,
  slotOfTaskId,
  TaskIdMaker,
  wallMsOfTaskId,
  type TaskIdSource,
} from './task-id.ts'

/** A source whose clock stands at the last of these moments. */
function sourceAt(momentsMs: readonly number[]): TaskIdSource {
  let at = 0
  return {
    wallMs: () => momentsMs[Math.min(at++, momentsMs.length - 1)] ?? 0,
    fillRandom: (bytes) => bytes.forEach((_, index) => (bytes[index] = (index * 37 + 11) & 0xff)),
  }
}

function areIncreasing(ids: readonly Uint8Array[]): boolean {
  return ids.slice(1).every((id, index) => Buffer.compare(ids[index] as Uint8Array, id) < 0)
}

describe('task id', () => {
  it('has the layout of docs/protocol.md', () => {
    const maker = new TaskIdMaker(sourceAt([NOW_MS]))

    expect(maker.make(slotOfQueue('mail'))).toEqual(TASK_1)
    expect(maker.make(slotOfQueue('mail'))).toEqual(TASK_2)
    expect(formatTaskId(TASK_1)).toBe('01a1f866-0d00-7000-92eb-30557a9fc4e9')
    expect(slotOfTaskId(TASK_1)).toBe(302)
    expect(wallMsOfTaskId(TASK_1)).toBe(NOW_MS)
  })

  it('grows while the clock stands, steps back, or runs out of numbers in a ms', () => {
    const maker = new TaskIdMaker(sourceAt([1_000, 1_000, 999, 500, 1_000]))

    const ids = Array.from({ length: 10_000 }, () => maker.make(7))

    expect(areIncreasing(ids)).toBe(true)
    expect(wallMsOfTaskId(ids.at(-1) as Uint8Array)).toBe(1_002)
  })

  it('follows the clock again once that is ahead', () => {
    const maker = new TaskIdMaker(sourceAt([1_000, 999, 5_000]))

    expect([maker.make(0), maker.make(0), maker.make(0)].map(wallMsOfTaskId)).toEqual([
      1_000, 1_000, 5_000,
    ])
  })

  it('refuses a clock that does not fit', () => {
    expect(() => new TaskIdMaker(sourceAt([2 ** 48])).make(0)).toThrow(
      'the wall clock fits 48 bits',
    )
  })

  it('knows a UUIDv7 from other values', () => {
    expect(isTaskIdBytes(TASK_1)).toBe(true)
    const version4 = TASK_1.with(6, 0x40)
    const otherVariant = TASK_1.with(8, 0xd2)
    for (const value of [version4, otherVariant, TASK_1.subarray(1), [...TASK_1], 'x', null]) {
      expect(isTaskIdBytes(value)).toBe(false)
    }
  })

  it('reads text in either case, and nothing that is no UUIDv7', () => {
    expect(parseTaskId('01A1F866-0D00-7000-92EB-30557A9FC4E9')).toEqual(TASK_1)
    for (const text of [
      '',
      '01a1f8660d00700092eb30557a9fc4e9',
      ' 01a1f866-0d00-7000-92eb-30557a9fc4e9',
      '01a1f866-0d00-4000-92eb-30557a9fc4e9',
      '01a1f866-0d00-7000-c2eb-30557a9fc4e9',
      '01a1f866-0d00-7000-92eb-30557a9fc4eg',
      '{01a1f866-0d00-7000-92eb-30557a9fc4e9}',
    ]) {
      expect(parseTaskId(text)).toBeUndefined()
    }
  })

  it('formats an id that is a view into something larger', () => {
    const frame = Buffer.concat([hex('ffffff'), TASK_1, hex('ff')])

    expect(formatTaskId(frame.subarray(3, 19))).toBe('01a1f866-0d00-7000-92eb-30557a9fc4e9')
  })
})

describe('properties', () => {
  const slot = fc.integer({ min: 0, max: 1_023 })
  const momentMs = fc.integer({ min: 0, max: 2 ** 48 - 10_000 })

  it('only grows, whatever the clock does and whatever the slots', () => {
    const moments = fc.array(fc.integer({ min: 1_000, max: 1_005 }), { minLength: 1 })
    const property = fc.property(moments, fc.array(slot, { maxLength: 60 }), (clock, slots) => {
      const maker = new TaskIdMaker(sourceAt(clock))
      expect(areIncreasing(slots.map((each) => maker.make(each)))).toBe(true)
    })
    assertProperty(property, 500)
  })

  it('carries slot and moment, and goes through text', () => {
    const property = fc.property(momentMs, slot, (ms, each) => {
      const id = new TaskIdMaker(sourceAt([ms])).make(each)

      expect(isTaskIdBytes(id)).toBe(true)
      expect(slotOfTaskId(id)).toBe(each)
      expect(wallMsOfTaskId(id)).toBe(ms)
      expect(parseTaskId(formatTaskId(id))).toEqual(id)
    })
    assertProperty(property, 1_000)
  })
})
