// Wrong input of all kinds to all commands: it is explained, and never called a bug of tq-admin.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeReplyFrame } from '@tq/core'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { admin, adminOf } from '../test/admin.ts'
import { sharedBroker } from '../test/broker-process.ts'
import { TASK_ID } from '../test/builders.ts'

const broker = sharedBroker()
const directory = mkdtempSync(join(tmpdir(), 'tq-wrong-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const LONG = 'x'.repeat(100_000)
const ENQUEUE = ['task', 'enqueue', 'mail', 'welcome']
const BROKEN = aFile('broken.json', '{"a":')
const DEEP = aFile('deep.json', '['.repeat(20_000) + ']'.repeat(20_000))
const EMPTY = aFile('empty', '')
const HUGE = aFile('huge.json', `"${'a'.repeat(2_000_000)}"`)
const BINARY = aFile('binary.json', Uint8Array.of(0xff, 0xfe, 0))
const LARGE_TOKEN = aFile('token', LONG)

/** Arguments, the exit code, and what the error says. */
const WRONG: readonly (readonly [args: readonly string[], code: number, says: string])[] = [
  [[...ENQUEUE, '--file', BROKEN], 2, 'is not JSON'],
  [[...ENQUEUE, '--file', DEEP], 2, 'it is nested too deeply'],
  [[...ENQUEUE, '--file', EMPTY], 2, 'is not JSON'],
  [[...ENQUEUE, '--file', HUGE], 2, 'at most 1048576 are allowed'],
  [[...ENQUEUE, '--file', BINARY], 2, 'is not UTF-8 text; --raw'],
  [[...ENQUEUE, '--file', directory], 2, '--file cannot be read: EISDIR'],
  [[...ENQUEUE, '--file', join(directory, 'none')], 2, '--file cannot be read: ENOENT'],
  [[...ENQUEUE, '--file', 'a\0b'], 2, '--file cannot be read'],
  [[...ENQUEUE, '--json', '1e999'], 2, 'the number 1e999 is beyond'],
  [[...ENQUEUE, '--json', '9007199254740993'], 2, 'is beyond 2^53'],
  [['task', 'enqueue', 'mail', ''], 2, 'type must not be empty'],
  [['task', 'enqueue', 'mail', LONG], 2, 'TOO_LARGE'],
  [['task', 'enqueue', 'mail', 'a\0b'], 2, 'control characters'],
  [['task', 'enqueue', LONG, 'welcome'], 2, "A queue's name"],
  [[...ENQUEUE, '--key', ''], 2, 'idempotencyKey must not be empty'],
  [[...ENQUEUE, '--id', 'nonsense'], 2, 'is not a task id'],
  [[...ENQUEUE, '--delay', '99999999999d'], 2, 'delayMs must be'],
  [[...ENQUEUE, '--delay', '-5s'], 2, 'Write a number with a unit'],
  [[...ENQUEUE, '--ttl', '0s'], 2, 'ttlMs must be'],
  [[...ENQUEUE, '--run-at', '1900-01-01T00:00:00Z'], 2, 'runAtMs must be'],
  [[...ENQUEUE, '--run-timeout', '99999d'], 2, 'timeoutMs must be'],
  [[...ENQUEUE, '--max-attempts', '1e3'], 2, 'Write a whole number'],
  [[...ENQUEUE, '--priority', 'NaN'], 2, 'Write a whole number'],
  [[...ENQUEUE, '--require', `zone=${'9'.repeat(20)}`], 2, 'is beyond 2^53'],
  [[...ENQUEUE, '--require', `${LONG}=1`], 2, 'TOO_LARGE'],
  [[...ENQUEUE, '--header', '__proto__=x'], 2, '__proto__'],
  [['task', 'get', ''], 2, 'is not a task id'],
  [['task', 'get', TASK_ID.slice(1)], 2, 'is not a task id'],
  [['task', 'cancel', TASK_ID, '--reason', LONG], 2, 'TOO_LARGE'],
  [['task', 'wait', TASK_ID, '--timeout', '99999999999d'], 2, 'at most 20d'],
  [['task', 'list', '--cursor', 'nonsense'], 2, 'is not one that a list answered'],
  [['task', 'list', '--limit', '9'.repeat(30)], 2, 'Write a whole number'],
  [['task', 'redrive', '--all', '--limit', '0'], 2, 'Write a whole number'],
  [['queue', 'stats', '*'], 2, "A queue's name"],
  [['queue', 'purge', 'mail', '--yes', '--reason', LONG], 2, 'TOO_LARGE'],
  [['queue', 'stats', '--token-file', LARGE_TOKEN], 2, 'a token at most 1024'],
  [['queue', 'stats', '--token-file', directory], 2, '--token-file cannot be read: EISDIR'],
  [['broker', 'wait', 'longer'], 2, 'too many arguments'],
  [['doctor', '--timeout', '1 week'], 2, 'Write a number with a unit'],
  [['store', 'verify', directory], 2, 'is no file'],
  [['store', 'verify', HUGE], 1, 'it is no backup of tq'],
  [['store', 'check', EMPTY], 1, ''],
]

describe('wrong input', () => {
  it.each(WRONG.map(([args, code, says]) => [shown(args), { args, code, says }] as const))(
    'is explained: %s',
    async (_, { args, code, says }) => {
      const ran = await adminOf(broker)(...args)

      expect(ran.err).toContain(says)
      expect(ran.err).not.toContain('a bug in tq-admin')
      expect(ran.err).not.toMatch(/\n +at /)
      if (args[0] !== 'store') expect(ran.code).toBe(code)
      expect(ran.code).not.toBe(0)
    },
  )
})

describe('a server that is no broker', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['says nothing that is framed', (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
    ['sends everything back', (socket) => socket.pipe(socket)],
    ['sends an empty frame', (socket) => socket.write(new Uint8Array(4))],
    ['greets with nothing', (socket) => socket.write(encodeReplyFrame(1, null as never, 0))],
    ['greets with something else', (socket) => socket.write(encodeReplyFrame(1, {} as never, 0))],
  ])('is called one if it %s', async (_, serve) => {
    const address = await aServer(serve)

    const ran = await admin(['queue', 'stats', '-a', address, '--timeout', '5s'])

    expect(ran).toMatchObject({ code: 6, out: '' })
    expect(ran.err).toContain('sent bytes that are not protocol 1')
  })
})

async function aServer(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    serve(socket)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

function aFile(name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

function shown(args: readonly string[]): string {
  return args.map((arg) => JSON.stringify(arg).slice(0, 40)).join(' ')
}
