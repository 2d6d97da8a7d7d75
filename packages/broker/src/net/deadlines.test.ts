// When a client has kept the broker waiting for too long.

import { describe, expect, it } from 'vitest'
import { Deadlines, type Situation } from './deadlines.ts'

const PATIENCE = { helloMs: 5_000, frameMs: 10_000, idleMs: 60_000, writeStallMs: 30_000 }

const CALM: Situation = {
  isGreeted: true,
  isReading: true,
  isBusy: false,
  stalledSinceMs: undefined,
}

function deadlines(): Deadlines {
  return new Deadlines(PATIENCE, 0)
}

describe('Deadlines', () => {
  it('end a connection on which no hello came', () => {
    const situation = { ...CALM, isGreeted: false }

    expect(deadlines().overdue(5_000, situation)).toBeUndefined()
    expect(deadlines().overdue(5_001, situation)).toBe('no hello came in time')
    expect(deadlines().overdue(5_001, CALM)).toBeUndefined()
  })

  it('end a connection on which a frame stays incomplete, however often a byte comes', () => {
    const slow = deadlines()
    for (let atMs = 1_000; atMs <= 11_000; atMs += 1_000) {
      slow.heard(atMs, { ended: false, begun: true })
    }

    expect(slow.overdue(11_000, CALM)).toBeUndefined()
    expect(slow.overdue(11_001, CALM)).toBe('a frame was not completed in time')
  })

  it('give each frame its own time, where every chunk ends in the middle of one', () => {
    const busy = deadlines()
    for (let atMs = 0; atMs <= 100_000; atMs += 1_000) {
      busy.heard(atMs, { ended: true, begun: true })
    }

    expect(busy.overdue(100_000, CALM)).toBeUndefined()
    busy.heard(101_000, { ended: true, begun: false })
    expect(busy.overdue(120_000, CALM)).toBeUndefined()
  })

  it('end a connection on which nothing is heard and nothing is under way', () => {
    const quiet = deadlines()
    quiet.heard(1_000, { ended: true, begun: false })

    expect(quiet.overdue(61_000, CALM)).toBeUndefined()
    expect(quiet.overdue(61_001, CALM)).toBe('nothing was heard for too long')
  })

  it('begin to count the quiet when the last answer has been given', () => {
    const waiting = deadlines()

    expect(waiting.overdue(100_000, { ...CALM, isBusy: true })).toBeUndefined()
    expect(waiting.overdue(160_000, CALM)).toBeUndefined()
    expect(waiting.overdue(160_001, CALM)).toBe('nothing was heard for too long')
  })

  it('end a connection whose client takes nothing, even if the broker does not listen', () => {
    const situation = { ...CALM, isReading: false, stalledSinceMs: 1_000 }

    expect(deadlines().overdue(31_000, situation)).toBeUndefined()
    expect(deadlines().overdue(31_001, situation)).toBe('the client did not read its answers')
  })

  it('do not count the time in which the broker does not listen', () => {
    const held = deadlines()
    held.heard(0, { ended: false, begun: true })

    expect(held.overdue(500_000, { ...CALM, isReading: false })).toBeUndefined()

    held.resumed(500_000)
    expect(held.overdue(510_000, CALM)).toBeUndefined()
    expect(held.overdue(510_001, CALM)).toBe('a frame was not completed in time')

    const idle = deadlines()
    idle.resumed(500_000)
    expect(idle.overdue(560_000, CALM)).toBeUndefined()
    expect(idle.overdue(560_001, CALM)).toBe('nothing was heard for too long')
  })
})
