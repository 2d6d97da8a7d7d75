// The command tq-admin as a process.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { sharedBroker } from '../test/broker-process.ts'
import { aClient } from '../test/sdk.ts'

const ENTRY = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const broker = sharedBroker()

describe('tq-admin', () => {
  it('writes data to stdout, notes to stderr, and exits by what came of it', async () => {
    const child = start('queue', 'stats', 'nowhere')
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])

    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toBe('error: no queue "nowhere" (NOT_FOUND)\n')
  })

  it('reads stdin', async () => {
    const child = start('task', 'enqueue', 'mail', 'welcome', '-')
    child.stdin.end('{"a":1}')
    const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])

    const task = await aClient(broker).get(out.trim())
    expect(code).toBe(0)
    expect(task).toMatchObject({ queue: 'mail', payloadBytes: 4 })
  })

  it('exits with 130 on Ctrl-C, though stdin is still open', async () => {
    const child = start('task', 'enqueue', 'mail', 'welcome', '--wait')
    await once(child.stderr, 'data')
    child.kill('SIGINT')

    expect(await once(child, 'close')).toEqual([130, null])
  })

  it('does not mind a reader that goes away', async () => {
    const child = start('--help')
    child.stdout.destroy()

    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(0)
  })
})

function start(...args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [ENTRY, ...args], {
    env: { ...process.env, TQ_ADDRESS: broker.address },
    stdio: 'pipe',
  })
}
