// Two sets of results side by side.

import { describe, expect, it } from 'vitest'
import { compared, differences } from './compared.ts'
import type { Result } from './result-file.ts'

function rounds(variant: string, values: readonly number[]): readonly Result[] {
  return values.map((tasksPerSecond, index) => ({
    scenario: 'mixed',
    variant,
    broker: 'here',
    round: index + 1,
    tasks: 100,
    figures: { tasksPerSecond, foreignPercent: 5, ackMaxMs: 9 },
  }))
}

describe('two sets of results', () => {
  it('are compared figure by figure, where both have measured the same', () => {
    const a = [...rounds('plain', [100, 101, 102, 103]), ...rounds('only a', [1])]
    const b = [...rounds('plain', [120, 121, 122, 123]), ...rounds('only b', [1])]

    const groups = compared(a, b)

    expect(groups.map(({ variant }) => variant)).toEqual(['plain'])
    expect(groups[0]?.figures).toMatchObject([
      { figure: 'tasksPerSecond', a: [100, 101, 102, 103], b: [120, 121, 122, 123] },
    ])
    expect(groups[0]?.figures[0]?.verdict).toMatch(/^faster by 20 % \(1\d\.\.2\d\)$/)
  })

  it('leave out what has no value in one of them', () => {
    const empty = rounds('plain', [Number.NaN])

    expect(compared(rounds('plain', [1]), empty)[0]?.figures).toEqual([])
  })

  it('differ in their conditions, but for the time of day', () => {
    const a = { node: 'v20', cores: 2, at: 'noon', load: 1 }
    const b = { node: 'v22', cores: 2, at: 'night', load: 9 }

    expect(differences(a, b)).toEqual([['node', 'v20', 'v22']])
  })
})
