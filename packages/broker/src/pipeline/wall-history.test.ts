// Ages of what was written in wall time, whatever the wall clock did meanwhile.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SEED } from '../../test/property.ts'
import { WallHistory } from './wall-history.ts'

const HOUR_MS = 3_600_000

describe('a wall clock that goes on evenly', () => {
  it('is no step, and ages are those of the wall clock', () => {
    const history = new WallHistory([])
    const looks = [0, 1_000, 2_000].map((tickMs) =>
      history.note({ wallMs: 9_000 + tickMs, tickMs }),
    )

    expect(looks).toEqual([false, false, false])
    expect(history.momentBefore(500, 2_000)).toBe(10_400)
    expect(history.momentBefore(5_000, 2_000)).toBe(5_900)
  })

  it('may be slewed a little', () => {
    const history = new WallHistory([])
    history.note({ wallMs: 9_000, tickMs: 0 })

    expect(history.note({ wallMs: 9_910, tickMs: 1_000 })).toBe(false)
    expect(history.momentBefore(0, 1_000)).toBeLessThan(9_910)
  })
})

describe('a wall clock that steps', () => {
  it('ahead ages nothing', () => {
    const history = new WallHistory([])
    history.note({ wallMs: 0, tickMs: 0 })

    expect(history.note({ wallMs: HOUR_MS + 10_000, tickMs: 10_000 })).toBe(true)

    expect(history.momentBefore(5_000, 12_000)).toBe(6_900)
    expect(history.momentBefore(5_000, 15_001)).toBe(HOUR_MS + 9_901)
  })

  it('back is taken to have stepped right after the last look', () => {
    const history = new WallHistory([])
    history.note({ wallMs: HOUR_MS, tickMs: 0 })
    history.note({ wallMs: HOUR_MS + 1_000, tickMs: 1_000 })

    expect(history.note({ wallMs: 2_000, tickMs: 2_000 })).toBe(true)

    expect(history.steps.at(-1)).toEqual({ tickMs: 1_000, aheadMs: 0 })
    expect(history.momentBefore(1_500, 2_000)).toBe(900)
  })

  it('back since an unknown moment is taken to have stepped as early as can be', () => {
    const history = new WallHistory([{ tickMs: 500, aheadMs: HOUR_MS }])

    expect(history.note({ wallMs: 9_000, tickMs: 9_000 })).toBe(true)

    expect(history.steps).toEqual([{ tickMs: 500, aheadMs: 0 }])
  })

  it('often is remembered coarsely, and never to make anything older', () => {
    const history = new WallHistory([])
    for (let step = 0; step < 300; step += 1) {
      history.note({ wallMs: 2 * step * HOUR_MS, tickMs: step * HOUR_MS })
    }

    expect(history.steps).toHaveLength(100)
    expect(history.steps[0]).toEqual({ tickMs: 0, aheadMs: 0 })
    expect(history.momentBefore(299 * HOUR_MS, 299 * HOUR_MS)).toBe(-100)
  })
})

describe('properties', () => {
  it('nothing that is younger than the age was written at the moment or before, over restarts too', () => {
    const move = fc.record({
      passMs: fc.integer({ min: 0, max: 5_000 }),
      stepMs: fc.oneof(
        fc.constant(0),
        fc.integer({ min: -99, max: 99 }),
        fc.integer({ min: -100_000, max: 100_000 }),
      ),
      isRestarted: fc.boolean(),
    })
    const property = fc.property(
      fc.array(move, { maxLength: 150 }),
      fc.integer({ min: 0, max: 60_000 }),
      (moves, ageMs) => {
        let history = new WallHistory([])
        let stored = history.steps
        let tickMs = 0
        let aheadMs = 1_000_000
        const written: { readonly tickMs: number; readonly wallMs: number }[] = []
        for (const { passMs, stepMs, isRestarted } of moves) {
          tickMs += passMs
          aheadMs += stepMs
          const now = { tickMs, wallMs: tickMs + aheadMs }
          if (history.note(now)) stored = history.steps.map((step) => ({ ...step }))
          if (isRestarted) {
            history = new WallHistory(stored)
            history.note(now)
          }
          written.push(now)
          const momentMs = history.momentBefore(ageMs, tickMs)
          const young = written.filter((one) => one.tickMs > tickMs - ageMs)
          expect(young.filter(({ wallMs }) => wallMs <= momentMs)).toEqual([])
        }
      },
    )
    fc.assert(property, { seed: SEED, numRuns: 300 })
  })
})
