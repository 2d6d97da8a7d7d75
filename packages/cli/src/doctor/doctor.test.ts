// `doctor`: against a broker, and against none.

import { describe, expect, it } from 'vitest'
import { admin, adminOf } from '../../test/admin.ts'
import { aBroker } from '../../test/broker-process.ts'
import type { Line } from './diagnosis.ts'

describe('doctor', () => {
  it('looks at everything, and ends by the worst that it finds', async () => {
    const broker = await aBroker()
    await adminOf(broker)('task', 'enqueue', 'mail', 'welcome', '--json', '1')
    await adminOf(broker)('queue', 'pause', 'mail')

    const table = await adminOf(broker)('doctor')
    const json = await adminOf(broker)('doctor', '-o', 'json')

    // How busy this machine is may make other lines worse.
    expect([1, 2]).toContain(table.code)
    expect(table.out).toMatch(
      /^warn +paused queues +tasks wait in mail \(1\)\n +-> tq-admin queue resume/m,
    )
    const { lines, schema } = JSON.parse(json.out) as { schema: number; lines: readonly Line[] }
    expect(schema).toBe(1)
    expect(lines.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['reachable', 'ready', 'commits', 'disk', 'event loop', 'clock']),
    )
  })

  it('calls a broker that is not there a failure', async () => {
    const ran = await admin(['doctor', '--address', '127.0.0.1:9', '--timeout', '100ms'])

    expect(ran).toMatchObject({ code: 2, err: '' })
    expect(ran.out).toMatch(/^fail +reachable /m)
  })
})
