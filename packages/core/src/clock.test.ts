// The real clock, timers and random numbers behind their interfaces.

import { describe, expect, it } from 'vitest'
import { systemClock, systemRandom, systemScheduler } from './clock.ts'

describe('system clock', () => {
  it('gives whole ms of the wall, and a monotonic clock that does not step back', () => {
    const before = Date.now()
    const wallMs = systemClock.wallMs()
    const readings = Array.from({ length: 1_000 }, () => systemClock.monotonicMs())

    expect(Number.isInteger(wallMs)).toBe(true)
    expect(wallMs).toBeGreaterThanOrEqual(before)
    expect(readings).toEqual(readings.toSorted((a, b) => a - b))
  })
})

describe('system scheduler', () => {
  it('runs callbacks: soon before later', async () => {
    const order: string[] = []

    await new Promise<void>((resolve) => {
      systemScheduler.after(1, () => {
        order.push('after')
        resolve()
      })
      systemScheduler.soon(() => order.push('soon'))
    })

    expect(order).toEqual(['soon', 'after'])
  })

  it('does not run what was cancelled, and allows to cancel what has run', async () => {
    const order: string[] = []

    await new Promise<void>((resolve) => {
      const cancelled = systemScheduler.after(0, () => order.push('cancelled'))
      const fired = systemScheduler.after(0, () => {
        order.push('fired')
        systemScheduler.after(0, () => {
          fired.cancel()
          resolve()
        })
      })
      cancelled.cancel()
    })

    expect(order).toEqual(['fired'])
  })
})

describe('system random', () => {
  it('gives chances below one and fills bytes', () => {
    const chances = Array.from({ length: 1_000 }, () => systemRandom.chance())
    const bytes = new Uint8Array(64)
    systemRandom.fill(bytes)

    expect(chances.every((chance) => chance >= 0 && chance < 1)).toBe(true)
    expect(new Set(chances).size).toBeGreaterThan(900)
    expect(bytes.some((byte) => byte !== 0)).toBe(true)
  })
})
