// The steps of the wall clock, as they are kept.

import { describe, expect, it } from 'vitest'
import { CorruptRecordError, sealJson } from './sealed.ts'
import { decodeWall, encodeWall, WALL_KEY, WALL_RECORD_VERSION } from './wall-record.ts'

describe('the wall record', () => {
  it('holds the steps in their order', () => {
    const steps = [
      { tickMs: 0, aheadMs: 1_800_000_000_000 },
      { tickMs: 5_000, aheadMs: -3 },
    ]

    expect(decodeWall(encodeWall(steps))).toEqual(steps)
  })

  it.each([{}, { steps: 7 }, { steps: [[1]] }, { steps: [['a', 1]] }, { steps: [3] }])(
    'that holds %j is damaged',
    (body) => {
      const value = sealJson(WALL_KEY, body, WALL_RECORD_VERSION)

      expect(() => decodeWall(value)).toThrow(CorruptRecordError)
    },
  )
})
