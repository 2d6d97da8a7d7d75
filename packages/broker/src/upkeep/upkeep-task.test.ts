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
