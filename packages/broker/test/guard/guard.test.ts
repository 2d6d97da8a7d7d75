// What a task costs the broker does not grow unnoticed.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { major, readBaseline } from './baseline.ts'
import { GuardProcess } from './guard-process.ts'
import { guard, regressions } from './verdict.ts'

const baseline = readBaseline()
if (baseline === undefined) {
  process.stdout.write(`the guard is skipped: it has no baseline for Node ${major()}\n`)
}

describe.skipIf(baseline === undefined)('the guard', () => {
  const recorded = baseline ?? { cpu: 0, heap: 0 }
  let directory = ''
  let guarded: GuardProcess

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tq-guard-'))
    guarded = await GuardProcess.make(directory)
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  it('lets the broker pass: a task costs what it did, but for noise', async () => {
    expect(await guard(() => guarded.measure('none'), recorded)).toEqual([])
  }, 240_000)

  it('finds a step that takes longer', async () => {
    const found = regressions(await guarded.measure('busy'), recorded)

    expect(found.join()).toMatch(/^the CPU time of a task is [\d.]+ units of the reference/)
  }, 120_000)

  it('finds a step that allocates more', async () => {
    const found = regressions(await guarded.measure('allocations'), recorded)

    expect(found.join()).toContain('the allocated memory of a task')
  }, 120_000)
})

describe('a verdict', () => {
  const line = { cpu: 4, heap: 20 }

  it('lets noise and gains pass', () => {
    expect(regressions({ cpu: 4.9, heap: 24 }, line)).toEqual([])
    expect(regressions({ cpu: 1, heap: 1 }, line)).toEqual([])
  })

  it('names what has grown, and what would be allowed', () => {
    expect(regressions({ cpu: 6, heap: 20 }, line)).toEqual([
      'the CPU time of a task is 6.00 units of the reference, 1.50 times the baseline of 4.00; at most 1.25 times is allowed',
    ])
  })

  it('is no pass if nothing could be measured', () => {
    expect(regressions({ cpu: Number.NaN, heap: Number.NaN }, line)).toHaveLength(2)
  })

  it('is given only after several attempts, and by one good one', async () => {
    const measured = [6, 6, 4]
    let asked = 0
    const measure = async (): Promise<typeof line> => ({ cpu: measured[asked++] ?? 9, heap: 20 })

    expect(await guard(measure, line)).toEqual([])
    expect(asked).toBe(3)
    expect(await guard(async () => ({ cpu: 6, heap: 20 }), line)).toHaveLength(1)
  })
})
