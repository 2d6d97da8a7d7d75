// Moments as people read them.

import { describe, expect, it } from 'vitest'
import { showInstant, showMoment, showRelative } from './moment.ts'

const NOW_MS = Date.UTC(2026, 10, 20, 10, 0, 0)

describe('moment', () => {
  it('is absolute in UTC, with milliseconds', () => {
    expect(showInstant(NOW_MS + 7)).toBe('2026-11-20T10:00:00.007Z')
  })

  it('is a plain number where no calendar reaches', () => {
    expect(showInstant(9e15)).toBe('9000000000000000 ms since 1970')
  })

  it.each([
    [-180_000, '3m ago'],
    [-999, 'now'],
    [0, 'now'],
    [5_000, 'in 5s'],
  ])('%d ms from now is "%s"', (ms, text) => {
    expect(showRelative(NOW_MS + ms, NOW_MS)).toBe(text)
  })

  it('is both where there is room', () => {
    expect(showMoment(NOW_MS - 180_000, NOW_MS)).toBe('2026-11-20T09:57:00.000Z (3m ago)')
  })
})
