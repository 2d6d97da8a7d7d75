// Lines go by who has waited longest in them.

import { describe, expect, it } from 'vitest'
import { LineRace } from './line-race.ts'
import type { Line } from './queue-lines.ts'

describe('the race of lines', () => {
  it('gives who has waited longest, whatever the order of coming', () => {
    // 37 is prime to 101: all numbers come once, far from their order.
    const numbers = Array.from({ length: 100 }, (_, index) => ((index + 1) * 37) % 101)
    const race = new LineRace(numbers.map((since) => ({ first: 'claim', since })))

    const order = numbers.map(() => race.next()?.since)

    expect(order).toEqual(numbers.toSorted((a, b) => a - b))
    expect(race.next()).toBeUndefined()
  })

  it('lets a line race again with the next who waits in it', () => {
    const line = { first: 'one', since: 1 }
    const other: Line<string> = { first: 'other', since: 2 }
    const race = new LineRace<string>([line, other])

    expect(race.next()).toBe(line)
    line.since = 3
    race.add(line)

    expect([race.next(), race.next(), race.next()]).toEqual([other, line, undefined])
  })
})
