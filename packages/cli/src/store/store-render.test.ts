// Reports of checks and salvages, as a person reads them.

import { describe, expect, it } from 'vitest'
import { aView } from '../../test/admin.ts'
import { renderCheck, renderSalvage } from './store-render.ts'
import type { CheckReport, SalvageReport } from './store-report.ts'

const CHECK: CheckReport = {
  directory: '/var/lib/tq',
  isSound: false,
  starts: false,
  advice: 'no broker starts on it',
  records: { task: 3 },
  queues: {},
  findings: { stray: 1, missing: 12_345 },
  copiedBytes: 0,
}

const SALVAGE: SalvageReport = {
  directory: '/var/lib/tq',
  target: '/var/lib/tq-salvaged',
  storeId: '5a'.repeat(16),
  epoch: 1_002,
  lsn: 14,
  opened: 'as-it-was',
  kept: {},
  revived: 0,
  mayHaveEnded: 0,
  findings: {},
  isWhole: true,
}

describe('what a check found', () => {
  it('is grouped by kind and counted, with what to do below those it is the same for', () => {
    const findings = [
      { code: 'stray', key: '02', what: 'a payload', advice: 'nothing' },
      { code: 'missing', what: 'task 1', advice: 'restore' },
      { code: 'missing', what: 'task 2', advice: 'restore' },
      { code: 'missing', what: 'task 3', advice: 'wait' },
    ]

    const lines = renderCheck(CHECK, findings, aView()).split('\n')

    expect(lines.slice(0, 11)).toEqual([
      'stray  1 finding',
      '  a payload',
      '    key 02',
      '  to do: nothing',
      'missing  12,345 findings',
      '  task 1',
      '  task 2',
      '  to do: restore',
      '  task 3',
      '  to do: wait',
      '  and 12,342 more: --all lists them',
    ])
    expect(lines).toContain('start     no broker starts on it')
  })

  it('says nothing of the start of a sound store', () => {
    const sound = { ...CHECK, isSound: true, starts: true, findings: {} }

    expect(renderCheck(sound, [], aView())).not.toMatch(/^start/m)
  })
})

describe('what a salvage made', () => {
  it.each([
    [{ revived: 0, mayHaveEnded: 0 }, undefined],
    [{ revived: 1, mayHaveEnded: 0 }, '1 task that had ended: it will run again'],
    [
      { revived: 2, mayHaveEnded: 10 },
      '2 tasks that had ended, and 10 tasks that may have ended: they will run again',
    ],
  ])('tells how many tasks live again: %j', (counts, text) => {
    const out = renderSalvage({ ...SALVAGE, ...counts }, [], aView())

    expect(/^live again +(.*)$/m.exec(out)?.[1]).toBe(text)
  })
})
