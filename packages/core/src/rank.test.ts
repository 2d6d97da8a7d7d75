// The order of ready tasks: total, static, and with a bound on how long anyone can be overtaken.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../test/property.ts'
import { compareHeads, rankMs, type LaneHead, type QueueOrder } from './rank.ts'

const MINUTE_MS = 60_000
const aging = { kind: 'aging', agingMsPerLevel: MINUTE_MS } as const
const strict = { kind: 'strict', agingMsPerLevel: MINUTE_MS } as const

function head(priority: number, rankBaseMs: number, sequence: number): LaneHead {
  return { priority, rankBaseMs, sequence }
}

describe('rank', () => {
  it('is the base less what the priority is worth', () => {
    expect(rankMs(1_000_000, 0, MINUTE_MS)).toBe(1_000_000)
    expect(rankMs(1_000_000, 3, MINUTE_MS)).toBe(1_000_000 - 3 * MINUTE_MS)
  })

  it('puts the more urgent first, until the other has waited long enough', () => {
    const low = head(10, 0, 1)

    expect(compareHeads(low, head(11, MINUTE_MS - 1, 2), aging)).toBeGreaterThan(0)
    expect(compareHeads(low, head(11, MINUTE_MS, 2), aging)).toBeLessThan(0)
    expect(compareHeads(low, head(11, MINUTE_MS + 1, 2), aging)).toBeLessThan(0)
  })

  it('lets a strict queue never age', () => {
    expect(compareHeads(head(10, 0, 1), head(11, 1e12, 2), strict)).toBeGreaterThan(0)
  })

  it('is first in, first out among equals', () => {
    for (const order of [aging, strict]) {
      expect(compareHeads(head(5, 100, 1), head(5, 100, 2), order)).toBeLessThan(0)
      expect(compareHeads(head(5, 101, 1), head(5, 100, 2), order)).toBeGreaterThan(0)
    }
  })
})

describe('properties', () => {
  const order = fc.record({
    kind: fc.constantFrom<QueueOrder>('aging', 'strict'),
    agingMsPerLevel: fc.integer({ min: 0, max: 3_600_000 }),
  })
  const anyHead = fc.record({
    priority: fc.integer({ min: 0, max: 255 }),
    rankBaseMs: fc.integer({ min: 0, max: 2 ** 42 }),
    sequence: fc.nat(),
  })

  it('is a total order: never equal, never both ways, never a circle', () => {
    const three = fc.uniqueArray(anyHead, {
      minLength: 3,
      maxLength: 3,
      selector: ({ sequence }) => sequence,
    })
    const property = fc.property(three, order, (heads, by) => {
      const [a, b, c] = heads as [LaneHead, LaneHead, LaneHead]
      expect(compareHeads(a, a, by)).toBe(0)
      expect(compareHeads(a, b, by)).not.toBe(0)
      expect(Math.sign(compareHeads(a, b, by))).toBe(-Math.sign(compareHeads(b, a, by)))
      if (compareHeads(a, b, by) < 0 && compareHeads(b, c, by) < 0) {
        expect(compareHeads(a, c, by)).toBeLessThan(0)
      }
    })
    assertProperty(property, 2_000)
  })

  it('lets nobody overtake who becomes ready later than the levels between are worth', () => {
    const property = fc.property(
      anyHead,
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: 3_600_000 }),
      (waiting, priority, agingMsPerLevel) => {
        const levels = Math.max(0, priority - waiting.priority)
        const later = {
          priority,
          rankBaseMs: waiting.rankBaseMs + levels * agingMsPerLevel,
          sequence: waiting.sequence + 1,
        }
        const by = { kind: 'aging', agingMsPerLevel } as const
        expect(compareHeads(waiting, later, by)).toBeLessThan(0)
      },
    )
    assertProperty(property, 2_000)
  })
})
