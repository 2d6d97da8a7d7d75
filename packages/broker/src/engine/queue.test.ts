// A queue counts its tasks by state; requirements have one text whatever their order.

import { LIVE_STATES, slotOfQueue, TERMINAL_STATES } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { DEFAULT_QUEUE_SETTINGS, Queue, requirementsKey } from './queue.ts'

describe('Queue', () => {
  it('begins empty, running, and with the slot of its name', () => {
    const queue = new Queue(3, 'mail', DEFAULT_QUEUE_SETTINGS)

    expect([queue.number, queue.slot, queue.paused]).toEqual([3, slotOfQueue('mail'), false])
    expect(LIVE_STATES.map((state) => queue.countOf(state))).toEqual(LIVE_STATES.map(() => 0))
    expect(queue.liveCount).toBe(0)
  })

  it('counts each live state, and none that is terminal, as live', () => {
    const queue = new Queue(1, 'mail', DEFAULT_QUEUE_SETTINGS)
    for (const [index, state] of LIVE_STATES.entries()) queue.addToCount(state, 10 ** index)
    for (const state of TERMINAL_STATES) queue.addToCount(state, 100_000)

    expect(queue.liveCount).toBe(11_111)
    queue.addToCount('queued', -10)
    expect([queue.countOf('queued'), queue.liveCount]).toEqual([0, 11_101])
  })
})

describe('requirementsKey', () => {
  it('is empty for no requirements, however they are written', () => {
    expect([requirementsKey(undefined), requirementsKey({})]).toEqual(['', ''])
  })

  it('tells values of different kinds apart', () => {
    const keys = [{ a: 1 }, { a: '1' }, { a: true }, { a: 'true' }, { b: 1 }].map(requirementsKey)

    expect(new Set(keys).size).toBe(5)
  })

  it('is the same for the same labels in any order', () => {
    const anyLabels = fc.uniqueArray(fc.tuple(fc.string(), fc.oneof(fc.string(), fc.boolean())), {
      selector: ([name]) => name,
      maxLength: 6,
    })
    const property = fc.property(anyLabels, fc.nat(), (entries, shift) => {
      const at = shift % Math.max(1, entries.length)
      const turned = [...entries.slice(at), ...entries.slice(0, at)].reverse()
      const key = requirementsKey(Object.fromEntries(entries))
      expect(requirementsKey(Object.fromEntries(turned))).toBe(key)
      expect(key === '').toBe(entries.length === 0)
    })
    assertProperty(property, 200)
  })
})
