// A broker that may open few files: it serves those it has, says so now and then, and recovers.

import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { TqClient } from '@tq/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../end-to-end/eventually.ts'
import { TestBroker } from '../end-to-end/test-broker.ts'

const FILES_MAX = 160
/** What is left of them for connections. */
const CONNECTIONS_MAX = 32
const CALLERS = 400

function linesOf(output: string, event: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('with few file descriptors', () => {
  it('a broker goes on serving those it has, refuses the others, and recovers', async () => {
    const broker = new TestBroker([])
    onTestFinished(() => broker.remove())
    await broker.start([], { inside: ['sh', '-c', `ulimit -n ${FILES_MAX}; exec "$@"`, 'sh'] })
    const { host, port } = broker.address
    const client = new TqClient({ address: `${host}:${port}` })
    onTestFinished(() => client.close())
    await client.enqueue('mail', 'send', 1)

    const callers = await Promise.all(Array.from({ length: CALLERS }, () => aCaller(host, port)))
    onTestFinished(() => callers.forEach((caller) => caller.destroy()))
    const isOpen = (caller: Socket): boolean => !caller.destroyed && !caller.readableEnded
    await eventually(() => expect(callers.filter(isOpen).length).toBeLessThan(CONNECTIONS_MAX))

    for (let number = 0; number < 50; number += 1) await client.enqueue('mail', 'send', 'x')
    const { tasks } = await client.claim('mail', { max: 51 })
    expect((await client.complete(tasks)).ok).toBe(51)
    const { output } = broker.process
    expect(linesOf(output, 'connections-lowered')).toMatchObject([
      { connectionsMax: CONNECTIONS_MAX, filesMax: FILES_MAX },
    ])
    expect(linesOf(output, 'connections-refused').length).toBeLessThanOrEqual(3)
    expect(linesOf(output, 'connections-refused')[0]?.['reason']).toMatch(/more than 32/)

    for (const caller of callers) caller.destroy()
    const late = new TqClient({ address: `${host}:${port}` })
    onTestFinished(() => late.close())
    expect((await late.stats('mail')).queues[0]).toMatchObject({ queued: 0, kept: 51 })
  })
})

/** Connects, reads what comes, and says nothing. */
async function aCaller(host: string, port: number): Promise<Socket> {
  const socket = createConnection({ host, port })
  socket.on('error', () => undefined).resume()
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined)
  return socket
}
