// `startup-log`: rendering, and against a broker.

import { describe, expect, it } from 'vitest'
import { adminOf, aView } from '../../test/admin.ts'
import { aBroker } from '../../test/broker-process.ts'
import { aReport } from '../../test/builders.ts'
import { renderReports } from './startup-render.ts'

describe('startup-log', () => {
  it('tells of each start, the newest first', async () => {
    const broker = await aBroker()
    await broker.stop()
    await broker.start()

    const table = await adminOf(broker)('startup-log')
    const json = await adminOf(broker)('startup-log', '-o', 'json')

    expect(table).toMatchObject({ code: 0, err: '' })
    expect(table.out).toMatch(/ms, epoch 2, LSN [^]* ms, epoch 1, LSN /)
    expect(table.out).toMatch(/^load-tasks +\d+\.\d +tasks 0/m)
    expect(JSON.parse(json.out)).toMatchObject({ schema: 1, reports: [{ epoch: 2 }, { epoch: 1 }] })
  })
})

describe('renderReports', () => {
  it('has a headline and the steps', () => {
    expect(renderReports([aReport()], aView())).toBe(
      [
        '2026-11-20T09:58:00.000Z (2m ago): 52.8 ms, epoch 2, LSN 16',
        'step         ms  counts',
        'lock        5.1  -',
        'load-tasks  0.3  tasks 12,000, leases 2',
      ].join('\n'),
    )
  })

  it('tells of warnings, and of a start that was cut off', () => {
    const text = renderReports(
      [aReport({ abortedBefore: 'verify', warnings: ['a record is damaged'] }), aReport()],
      aView(),
    )

    expect(text).toContain('\nthe start before it was cut off in the step verify\n')
    expect(text).toContain('\nwarning: a record is damaged\n\n')
  })
})
