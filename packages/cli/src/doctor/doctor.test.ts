// `doctor`: against a broker, and against none.

import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
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
    expect([8, 9]).toContain(table.code)
    expect(table.out).toMatch(
      /^warn +paused queues +tasks wait in mail \(1\)\n +-> tq-admin queue resume/m,
    )
    const { lines, schema } = JSON.parse(json.out) as { schema: number; lines: readonly Line[] }
    expect(schema).toBe(1)
    expect(lines.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['reachable', 'ready', 'commits', 'disk', 'event loop', 'clock']),
    )
  })

  it('does not call a broker well that has just started', async () => {
    const broker = await aBroker()

    const ran = await adminOf(broker)('doctor')
    const json = await adminOf(broker)('doctor', '-o', 'json')

    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^early +event loop +.*: too early to tell$/m)
    expect(ran.err).toContain('ask again when the broker has been up for a minute')
    expect((JSON.parse(json.out) as { verdict: string }).verdict).toBe('early')
  })

  it('calls a broker that is not there a failure, with the code of that', async () => {
    const ran = await admin(['doctor', '--address', '127.0.0.1:9', '--timeout', '100ms'])

    expect(ran).toMatchObject({ code: 6, err: '' })
    expect(ran.out).toMatch(/^fail +reachable /m)
  })

  it('keeps the code for a wrong command apart', async () => {
    expect((await admin(['doctor', 'extra'])).code).toBe(2)
  })

  it('says so if it was given the port for metrics and health', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }

    const ran = await admin(['doctor', '-a', `127.0.0.1:${port}`])

    expect(ran.code).toBe(6)
    expect(ran.out).toContain('speaks HTTP: give the port for clients (usually 7461)')
  })
})
