// The commits that a start must check: all that the log may hold, and not many more.

import { describe, expect, it } from 'vitest'
import { VerifyMark } from './verify-mark.ts'

const MIB = 2 ** 20

describe('the verify mark', () => {
  it('stays where it was until the log cannot hold the first commits any more', () => {
    const mark = new VerifyMark(5)

    for (let lsn = 6; lsn <= 60; lsn += 1) mark.note(lsn, MIB)

    expect(mark.fromLsn).toBe(5)
  })

  it('moves on in steps, and always leaves 96 MiB of commits to be checked', () => {
    const mark = new VerifyMark(1)

    for (let lsn = 1; lsn <= 200; lsn += 1) {
      mark.note(lsn, MIB)
      const checkedMiB = lsn - mark.fromLsn + 1
      expect(checkedMiB).toBeGreaterThanOrEqual(Math.min(lsn, 96))
      expect(checkedMiB).toBeLessThanOrEqual(96 + 2 * 8 + 2)
    }
  })

  it('takes one huge commit as well', () => {
    const mark = new VerifyMark(1)

    mark.note(1, MIB)
    mark.note(2, 100 * MIB)
    mark.note(3, 100 * MIB)

    expect(mark.fromLsn).toBeLessThanOrEqual(3)
    expect(mark.fromLsn).toBeGreaterThan(1)
  })
})
