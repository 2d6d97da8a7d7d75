// Findings: told up to a bound, counted all.

import { describe, expect, it } from 'vitest'
import { type Finding, FindingList, TOLD_PER_CODE } from './finding.ts'

describe('a list of findings', () => {
  it('tells the first hundred of each code, and counts all', () => {
    const told: Finding[] = []
    const list = new FindingList((finding) => void told.push(finding))

    for (let count = 0; count < 250; count += 1) list.add('stray', 'it is lost', Uint8Array.of(7))
    list.add('cut-off', 'a start', 'starting')

    expect(told).toHaveLength(TOLD_PER_CODE + 1)
    expect(list.counts).toEqual({ stray: 250, 'cut-off': 1 })
    expect(told[0]).toMatchObject({ code: 'stray', key: '07', what: 'it is lost' })
  })

  it('tells as many as are asked for, and what to do about each', () => {
    const told: Finding[] = []
    const list = new FindingList((finding) => void told.push(finding), { toldMax: 2 })

    for (const advice of ['look', 'wait', 'go']) list.add('lost', 'a task', undefined, advice)

    expect(told.map(({ advice }) => advice)).toEqual(['look', 'wait'])
    expect(list.counts).toEqual({ lost: 3 })
  })

  it('does not call harmless what belongs to something that cannot be read', () => {
    const told: Finding[] = []
    const list = new FindingList((finding) => void told.push(finding))

    list.add('stray', 'a payload')
    list.add('unreadable', 'a block')
    list.add('stray', 'a payload')

    expect(told[0]?.advice).toMatch(/^nothing/)
    expect(told[2]?.advice).toContain('is lost')
  })

  it('does not advise a salvage during one', () => {
    const told: Finding[] = []
    const list = new FindingList((finding) => void told.push(finding), { isSalvage: true })

    list.add('head', 'it is missing')
    list.add('revived', 'a task')

    expect(told[0]?.advice).not.toContain('salvage')
    expect(told[1]?.advice).toContain('pause its queue')
  })

  it('does not call a store unsound because a start was cut off', () => {
    const list = new FindingList(() => {})

    list.add('cut-off', 'a start')
    expect(list.unsoundCount).toBe(0)
    list.add('missing', 'a payload')
    expect(list.unsoundCount).toBe(1)
  })
})
