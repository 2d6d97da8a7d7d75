// Durations as people write and read them.

import { fc, it as property } from '@fast-check/vitest'
import { InvalidArgumentError } from 'commander'
import { describe, expect, it } from 'vitest'
import { parseDuration, showDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    [' 3s ', 3_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['5', '', 's', '-5s', '5 s', '5sec', '1h30m', '5S'])('refuses "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(InvalidArgumentError)
    expect(() => parseDuration(text)).toThrow('500ms, 5s, 10m, 2h or 1d')
  })
})

describe('showDuration', () => {
  it.each([
    [0, '0ms'],
    [340.4, '340ms'],
    [999.7, '1s'],
    [1_500, '1.5s'],
    [9_960, '10s'],
    [12_000, '12s'],
    [59_800, '1m'],
    [60_000, '1m'],
    [61_000, '1m 1s'],
    [3_600_000, '1h'],
    [3_605_000, '1h'],
    [7_500_000, '2h 5m'],
    [90_000_000, '1d 1h'],
    [86_400_000 * 30, '30d'],
  ])('shows %d ms as %s', (ms, text) => {
    expect(showDuration(ms)).toBe(text)
  })

  property.prop([fc.integer({ min: 0, max: 10 ** 12 })])('loses less than a tenth', (ms) => {
    const shownMs = showDuration(ms)
      .split(' ')
      .reduce((sum, part) => sum + parseDuration(part), 0)
    expect(Math.abs(shownMs - ms)).toBeLessThanOrEqual(Math.max(1, ms / 10))
  })
})
