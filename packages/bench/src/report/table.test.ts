// Tables for people.

import { describe, expect, it } from 'vitest'
import type { MachineFacts } from '../machine.ts'
import { FORMAT, type Result, type ResultFile, type RunSettings } from './result-file.ts'
import { markdown, rounded, tablesOf } from './table.ts'

function result(variant: string, round: number, figures: Result['figures']): Result {
  return { scenario: 'mixed', variant, broker: 'here', round, tasks: 1_000, figures }
}

function fileOf(results: readonly Result[]): ResultFile {
  const machine = { cpu: 'some cpu', cores: 2 } as MachineFacts
  const settings = { rounds: 3, retentionCount: undefined } as RunSettings
  return { format: FORMAT, machine, settings, results }
}

describe('the tables of a run', () => {
  it('begin with what it was measured on', () => {
    const text = tablesOf(fileOf([]))

    expect(text).toContain('cpu: some cpu\ncores: 2\n')
    expect(text).toContain('retentionCount: the default')
  })

  it('have a line for each figure and a column for each variant', () => {
    const text = tablesOf(
      fileOf([
        result('none', 1, { tasksPerSecond: 12_345.6 }),
        result('ten', 1, { ackP99Ms: 1.5 }),
      ]),
    )

    expect(text.split('\n').slice(-4)).toEqual([
      '| mixed, 1,000 tasks | none   | ten  |',
      '| ------------------ | ------ | ---- |',
      '| tasksPerSecond     | 12,346 | -    |',
      '| ackP99Ms           | -      | 1.50 |',
    ])
  })

  it('tell the median of several rounds, and how far they lie apart', () => {
    const rounds = [30, 10, 20].map((value, index) => result('plain', index + 1, { ms: value }))

    expect(tablesOf(fileOf(rounds))).toContain('| ms                 | 20.0 (10.0 to 30.0) |')
  })

  it('show three digits, and thousands in groups', () => {
    expect([0, 0.0123, 0.5, 12.34, 123.4, 1_234_567].map(rounded)).toEqual([
      '0',
      '0.012',
      '0.50',
      '12.3',
      '123',
      '1,234,567',
    ])
  })

  it('line up', () => {
    expect(markdown(['a'], [['long']])).toBe('| a    |\n| ---- |\n| long |')
  })
})
