// The arguments of the upkeep program.

import { describe, expect, it } from 'vitest'
import { parseTask } from './upkeep-task.ts'

describe('the upkeep program', () => {
  it('takes options before its paths', () => {
    expect(parseTask(['check', '--work-dir=/tmp', '--assume-stopped', '--', 'data'])).toEqual({
      verb: 'check',
      directory: 'data',
      workDirectory: '/tmp',
      assumesStopped: true,
      toldMax: 100,
    })
    expect(parseTask(['salvage', '--told-max=7', '--epoch-min=9', '--', 'data', 'new'])).toEqual({
      verb: 'salvage',
      directory: 'data',
      target: 'new',
      workDirectory: undefined,
      assumesStopped: false,
      leavesOutTables: false,
      toldMax: 7,
      epochMin: 9,
    })
    expect(parseTask(['restore', '--epoch-min=7', '--', 'file', '--odd'])).toEqual({
      verb: 'restore',
      file: 'file',
      target: '--odd',
      epochMin: 7,
    })
  })

  it.each([[[]], [['mend', 'data']], [['check']], [['restore', '--', 'file']]])(
    'refuses %j',
    (args) => {
      expect(() => parseTask(args)).toThrow(expect.objectContaining({ code: 'usage' }) as Error)
    },
  )
})
