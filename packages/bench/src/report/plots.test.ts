// Which figures become lines.

import { describe, expect, it } from 'vitest'
import type { PlotPlan } from './plot-plan.ts'
import { linesOf } from './plots.ts'
import type { Result } from './result-file.ts'

const PLAN: PlotPlan = {
  name: 'some',
  title: 'Some',
  x: { label: 'waiting', isLogarithmic: true },
  yLabel: 'ms',
  lines: { p50Ms: 'p50' },
}

function result(x: number, p50Ms: number, broker = 'here'): Result {
  return {
    scenario: 'backlog',
    variant: `${x}`,
    x,
    broker,
    round: 1,
    tasks: 1,
    figures: { p50Ms },
    samples: [
      { minutes: 1, p50Ms: 5 },
      { minutes: 2, p50Ms: 6 },
    ],
  }
}

describe('the lines of a plot', () => {
  it('are medians of the rounds, over the variants in their order', () => {
    const results = [result(100, 3), result(10, 1), result(100, 9), result(100, 4)]

    expect(linesOf(PLAN, results)).toEqual([
      {
        name: 'p50',
        points: [
          { x: 10, y: 1 },
          { x: 100, y: 4 },
        ],
      },
    ])
  })

  it('are samples over time, where the plan says so', () => {
    const [line] = linesOf({ ...PLAN, over: 'minutes' }, [result(1, 1)])

    expect(line?.points).toEqual([
      { x: 1, y: 5 },
      { x: 2, y: 6 },
    ])
  })

  it('are one for each broker, if there were two', () => {
    const lines = linesOf(PLAN, [result(1, 1, 'here'), result(1, 2, 'there')])

    expect(lines.map(({ name }) => name)).toEqual(['p50, here', 'p50, there'])
  })
})
