// Medians and ratios as people read them.

import { describe, expect, it } from 'vitest'
import { comparisonTables, medianOf, summarise } from './comparison-table.ts'
import type { Sample } from './sample.ts'

describe('the median', () => {
  it('is the middle one of an odd number', () => {
    expect(medianOf([9, 1, 5])).toBe(5)
  })

  it('is the mean of the two in the middle of an even number', () => {
    expect(medianOf([10, 1, 4, 2])).toBe(3)
  })

  it('is nothing of nothing', () => {
    expect(medianOf([])).toBeUndefined()
  })
})

describe('a comparison', () => {
  const samples = [
    ...[200, 100, 300].map((rate, round) => sampleOf('tq', round, rate)),
    ...[50, 100, 90].map((rate, round) => sampleOf('other', round, rate)),
  ]

  it('divides tq’s median by the peer’s', () => {
    expect(summarise(samples)).toEqual([
      expect.objectContaining({ peer: 'tq', median: 200, least: 100, most: 300, ratio: undefined }),
      expect.objectContaining({ peer: 'other', median: 90, least: 50, most: 100, ratio: 200 / 90 }),
    ])
  })

  it('has no ratio where tq did not take part', () => {
    const others = samples.filter((sample) => sample.peer === 'other')
    expect(summarise(others).map((summary) => summary.ratio)).toEqual([undefined])
  })

  it('leaves a phase out of the rows of a peer that cannot do it', () => {
    const drains = [sampleOf('tq', 0, 10, { phase: 'drain' })]
    const phases = summarise([...samples, ...drains]).map(({ peer, phase }) => `${peer} ${phase}`)
    expect(phases).toEqual(['tq mixed', 'other mixed', 'tq drain'])
  })

  it('is a table of each phase, with what disturbed it', () => {
    const disturbed = { otherPercent: 80, isRepeated: true, isDisturbed: true }
    const table = comparisonTables([...samples, sampleOf('other', 3, 95, disturbed)])
    expect(table).toBe(`mixed

| peer | tasks/s | tq/peer | other CPU, % of a core |
| --- | --- | --- | --- |
| tq | 200.0 (100.0 to 300.0) | – | 3 to 3 |
| other | 92.50 (50.00 to 100.0) | 2.16 | 3 to 80, 1 repeated, 1 of 4 DISTURBED |
`)
  })
})

function sampleOf(
  peer: string,
  round: number,
  tasksPerSecond: number,
  more: Partial<Sample> = {},
): Sample {
  return {
    peer,
    phase: 'mixed',
    round,
    figures: { tasksPerSecond },
    otherPercent: 3,
    isRepeated: false,
    isDisturbed: false,
    ...more,
  }
}
