// Findings: told up to a bound, counted all.

import { describe, expect, it } from 'vitest'
import { type Finding, FindingList, TOLD_PER_CODE_MAX } from './finding.ts'

describe('a list of findings', () => {
  it('tells the first hundred of each code, and counts all', () => {
    const told: Finding[] = []
    const list = new FindingList((finding) => void told.push(finding))

    for (let count = 0; count < 250; count += 1) list.add('stray', 'it is lost', Uint8Array.of(7))
    list.add('cut-off', 'a start', 'starting')

    expect(told).toHaveLength(TOLD_PER_CODE_MAX + 1)
    expect(list.counts).toEqual({ stray: 250, 'cut-off': 1 })
    expect(told[0]).toMatchObject({ code: 'stray', key: '07', what: 'it is lost' })
  })

  it('does not call a store unsound because a start was cut off', () => {
    const list = new FindingList(() => {})

    list.add('cut-off', 'a start')
    expect(list.unsoundCount).toBe(0)
    list.add('missing', 'a payload')
    expect(list.unsoundCount).toBe(1)
  })
})
