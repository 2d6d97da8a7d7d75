// Reports of earlier starts, as they are found in the data directory.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StartupReport } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../test/temporary-directory.ts'
import { REPORTS_MAX, StartupLog } from './startup-log.ts'

function aReport(epoch: number): StartupReport {
  return { startedAtMs: 1, totalMs: 1, epoch, lsn: 1, steps: [], warnings: [] }
}

describe('StartupLog', () => {
  it('has nothing to tell in a new directory', async () => {
    expect(await new StartupLog(await temporaryDirectory()).read()).toEqual([])
  })

  it('keeps the newest, and forgets those beyond its limit', async () => {
    const log = new StartupLog(await temporaryDirectory())
    let reports: readonly StartupReport[] = []
    for (let epoch = 1; epoch <= REPORTS_MAX + 3; epoch += 1) {
      reports = await log.keep(aReport(epoch), reports)
    }

    expect(await log.read()).toEqual(reports)
    expect(reports).toHaveLength(REPORTS_MAX)
    expect([reports[0]?.epoch, reports.at(-1)?.epoch]).toEqual([REPORTS_MAX + 3, 4])
  })

  it.each([
    ['no JSON', 'hello'],
    ['no list', '{"reports":[]}'],
    ['a list of something else', '[1, null, "text", {"epoch": 4}]'],
  ])('forgets what it cannot read: %s', async (_, text) => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'startup-reports.json'), text)
    const log = new StartupLog(directory)

    expect(await log.read()).toEqual([])

    await log.keep(aReport(1), [])
    expect(await log.read()).toEqual([aReport(1)])
  })

  it('keeps what it can read beside what it cannot', async () => {
    const directory = await temporaryDirectory()
    const path = join(directory, 'startup-reports.json')
    await writeFile(path, JSON.stringify([{ epoch: 'nine' }, aReport(8)]))

    expect(await new StartupLog(directory).read()).toEqual([aReport(8)])
  })

  it('shows a report that could not be kept, with a warning', async () => {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'startup-reports.json'))
    const log = new StartupLog(directory)

    const [newest, ...others] = await log.keep(aReport(2), [aReport(1)])

    expect(newest?.warnings).toEqual([expect.stringMatching(/^this report could not be kept: E/)])
    expect(others).toEqual([aReport(1)])
    expect(await log.read()).toEqual([])
  })
})
