// `broker wait`: a broker that is not there yet, one that is, one that never comes.

import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { admin, adminOf } from '../../test/admin.ts'
import { aBroker } from '../../test/broker-process.ts'

describe('broker wait', () => {
  it('waits longer than other commands for a broker that is not there yet', async () => {
    const broker = await aBroker()
    await broker.stop()
    let starting: Promise<void> | undefined
    const onNote = (text: string): void => {
      // Two seconds have passed: any other command has given up.
      if (text === 'no broker answers yet; waiting') starting = broker.start()
    }

    const ran = await adminOf(broker, { onNote })('broker', 'wait', '-o', 'json')
    await starting

    expect(starting).toBeDefined()
    expect(ran.code).toBe(0)
    expect(ran.err).toMatch(/\nthe broker is ready, after \S+\n$/)
    expect(JSON.parse(ran.out)).toEqual({
      schema: 1,
      ready: true,
      waitedMs: expect.any(Number) as number,
    })
  })

  it('ends at once if the broker is ready', async () => {
    const broker = await aBroker()

    const ran = await adminOf(broker)('broker', 'wait')

    expect(ran).toMatchObject({ code: 0, out: '' })
    expect(ran.err).toMatch(/^the broker is ready, after \S+\n$/)
  })

  it('exits with 6 when --timeout is over first', async () => {
    const ran = await admin(['broker', 'wait', '-a', '127.0.0.1:9', '--timeout', '200ms'])

    expect(ran).toMatchObject({ code: 6, out: '' })
    expect(ran.err).toContain('cannot connect to the broker at 127.0.0.1:9')
  })

  it('does not wait for a web server to become a broker', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }

    const ran = await admin(['broker', 'wait', '-a', `127.0.0.1:${port}`, '--timeout', '10m'])

    expect(ran).toMatchObject({ code: 6, out: '' })
    expect(ran.err).toContain('speaks HTTP: give the port for clients')
  })
})
