// CPU taken by others, out of the kernel's counters.

import { describe, expect, it } from 'vitest'
import { busyTicks, otherPercent } from './other-load.ts'

describe('the load of the rest of the machine', () => {
  it('counts all work of the cores, and what the host took, but no idling', () => {
    const stat = 'cpu  100 20 30 4000 500 6 7 8 90 10\ncpu0 1 1 1 1 1 1 1 1 0 0\n'
    expect(busyTicks(stat)).toBe(100 + 20 + 30 + 6 + 7 + 8)
  })

  it('is what is not ours, in percent of one core', () => {
    const from = { atMs: 1_000, busyUs: 5_000_000, ownUs: 1_000_000 }
    const to = { atMs: 3_000, busyUs: 8_000_000, ownUs: 3_000_000 }
    expect(otherPercent(from, to)).toBe(50)
  })

  it('is never less than nothing', () => {
    const from = { atMs: 0, busyUs: 0, ownUs: 0 }
    expect(otherPercent(from, { atMs: 100, busyUs: 90_000, ownUs: 100_000 })).toBe(0)
    expect(otherPercent(from, from)).toBe(0)
  })
})
