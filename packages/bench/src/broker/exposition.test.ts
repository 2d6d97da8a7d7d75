// Reading what /metrics answers.

import { describe, expect, it } from 'vitest'
import { Exposition } from './exposition.ts'

function textOf(fast: number, slow: number, all: number): string {
  return [
    '# HELP tq_tasks Tasks by state',
    'tq_tasks{queue="a",state="queued"} 3',
    'tq_tasks{queue="b",state="queued"} 4',
    'tq_tasks{queue="b",state="running"} 5',
    'tq_tasks_else{queue="b",state="running"} 100',
    `tq_commit_bucket{le="0.01"} ${fast}`,
    `tq_commit_bucket{le="0.1"} ${slow}`,
    `tq_commit_bucket{le="+Inf"} ${all}`,
    `tq_commit_sum ${all * 2}`,
    `tq_commit_count ${all}`,
    '',
  ].join('\n')
}

const NOTHING = new Exposition('')

describe('an exposition', () => {
  const exposition = new Exposition(textOf(90, 99, 100))

  it('sums the series of a name', () => {
    expect(exposition.sum('tq_tasks')).toBe(12)
    expect(exposition.sum('tq_tasks', 'state="queued"')).toBe(7)
    expect(exposition.sum('tq_nothing')).toBe(0)
  })

  it('tells quantiles within a bucket, and the last edge beyond', () => {
    expect(exposition.quantileSince(NOTHING, 'tq_commit', 0.45)).toBeCloseTo(0.005, 6)
    expect(exposition.quantileSince(NOTHING, 'tq_commit', 0.945)).toBeCloseTo(0.055, 6)
    expect(exposition.quantileSince(NOTHING, 'tq_commit', 0.999)).toBe(0.1)
  })

  it('looks only at what came since the exposition before', () => {
    const later = new Exposition(textOf(90, 199, 200))

    expect(later.quantileSince(exposition, 'tq_commit', 0.5)).toBeCloseTo(0.055, 6)
    expect(later.quantileSince(later, 'tq_commit', 0.5)).toBe(0)
    expect(later.growth(exposition, 'tq_commit_count')).toBe(100)
    expect(later.meanSince(exposition, 'tq_commit')).toBe(2)
    expect(later.meanSince(later, 'tq_commit')).toBe(0)
  })
})
