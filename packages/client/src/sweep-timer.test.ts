// Laws of one timer for many deadlines.

import { describe, expect, it } from 'vitest'
import { ManualTime } from '../test/manual-time.ts'
import { SweepTimer } from './sweep-timer.ts'

function aSweep(): {
  time: ManualTime
  timer: SweepTimer
  sweeps: number[]
  next: { atMs: number }
} {
  const time = new ManualTime()
  const sweeps: number[] = []
  const next = { atMs: Infinity }
  const timer = new SweepTimer({ clock: time, scheduler: time }, (nowMs) => {
    sweeps.push(nowMs)
    return next.atMs
  })
  return { time, timer, sweeps, next }
}

describe('SweepTimer', () => {
  it('sweeps at the earliest deadline it was told of', () => {
    const { time, timer, sweeps } = aSweep()
    timer.arm(5_000)
    timer.arm(3_000)
    timer.arm(4_000)

    time.advance(9_000)

    expect(sweeps).toEqual([3_000])
  })

  it('goes on with what the sweep says is next', () => {
    const { time, timer, sweeps, next } = aSweep()
    next.atMs = 6_000
    timer.arm(3_000)

    time.advance(4_000)
    next.atMs = Infinity
    time.advance(4_000)

    expect(sweeps).toEqual([3_000, 6_000])
  })

  it('reaches a deadline beyond the longest timer in steps', () => {
    const { time, timer, sweeps, next } = aSweep()
    next.atMs = 10_000_000
    timer.arm(10_000_000)

    time.advance(3_600_000)

    expect(sweeps).toHaveLength(1)
  })

  it('does nothing after stop, and is safe to stop twice', () => {
    const { time, timer, sweeps } = aSweep()
    timer.arm(3_000)

    timer.stop()
    timer.stop()
    time.advance(9_000)

    expect(sweeps).toEqual([])
    expect(time.alarmCount).toBe(0)
  })
})
