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
    'tq_connections 7',
    `tq_commit_bucket{le="0.01"} ${fast}`,
    `tq_commit_bucket{le="0.1"} ${slow}`,
    `tq_commit_bucket{le="+Inf"} ${all}`,
    '',
  ].join('\n')
}

describe('an exposition', () => {
  const exposition = new Exposition(textOf(90, 99, 100))

  it('sums the series of a name', () => {
    expect(exposition.sum('tq_connections')).toBe(7)
    expect(exposition.sum('tq_tasks')).toBe(12)
    expect(exposition.sum('tq_tasks', 'state="queued"')).toBe(7)
    expect(exposition.sum('tq_nothing')).toBe(0)
  })

  it('tells sums by a label', () => {
    expect(exposition.by('tq_tasks', 'state')).toEqual({ queued: 7, running: 5 })
  })

  it('tells the bucket in which a quantile lies', () => {
    expect(exposition.quantileSince(undefined, 'tq_commit', 0.5)).toBe(0.01)
    expect(exposition.quantileSince(undefined, 'tq_commit', 0.95)).toBe(0.1)
    expect(exposition.quantileSince(undefined, 'tq_commit', 0.999)).toBe(Infinity)
  })

  it('looks only at what came since the exposition before', () => {
    const later = new Exposition(textOf(90, 199, 200))

    expect(later.quantileSince(exposition, 'tq_commit', 0.01)).toBe(0.1)
    expect(later.quantileSince(later, 'tq_commit', 0.5)).toBe(0)
  })
})
