// Reaching a broker, and what a person is told if that fails.

import { connect, createServer } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { admin, adminOf } from '../test/admin.ts'
import { aBroker, type BrokerProcess, sharedBroker } from '../test/broker-process.ts'
import { STARTING_MS } from './connect.ts'

const TOKEN = 'a-token-that-is-long-enough-for-a-broker-0123456789'
const HASH = createHash('sha256').update(TOKEN).digest('hex')

describe('the address', () => {
  const broker = sharedBroker()

  it('comes from --address before TQ_ADDRESS', async () => {
    const dead = await aDeadAddress()

    const ran = await admin(['queue', 'stats', '--address', broker.address], {
      env: { TQ_ADDRESS: dead },
    })

    expect(ran.code).toBe(0)
  })

  it('may be several, of which the first that answers is used', async () => {
    const dead = await aDeadAddress()

    const commas = await admin(['queue', 'stats', '-a', `${dead}, ${broker.address}`])
    const repeated = await admin(['queue', 'stats', '-a', dead, '-a', broker.address])

    expect([commas.code, repeated.code]).toEqual([0, 0])
  })

  it.each([
    ['nonsense:99999', '"nonsense:99999" is not an address; write host:port'],
    [',', 'Name a broker, such as 127.0.0.1:7461.'],
  ])('is refused if it is none: %s', async (address, text) => {
    const ran = await admin(['queue', 'stats', '-a', address])

    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain(text)
  })
})

describe('a broker that cannot be reached', () => {
  it('ends the command soon, naming the address and what to check', async () => {
    const dead = await aDeadAddress()

    const ran = await adminOf({ address: dead })('task', 'list')

    expect(ran).toMatchObject({ code: 6, out: '' })
    expect(ran.err).toContain(`cannot connect to the broker at ${dead}`)
    expect(ran.err).toMatch(/\(UNAVAILABLE\)\nTried .* Check that tq-broker runs there/)
    expect(ran.err).not.toMatch(/\bat .*\.[jt]s:\d/)
  })

  it('names all addresses that were tried', async () => {
    const dead = `${await aDeadAddress()},${await aDeadAddress()}`

    const ran = await admin(['task', 'list', '--address', dead])

    expect(ran.code).toBe(6)
    expect(ran.err).toContain(`Tried ${dead.replace(',', ', ')}.`)
  })

  it('does not let a wait begin', async () => {
    const dead = await aDeadAddress()

    const ran = await adminOf({ address: dead })('task', 'wait', ID)

    expect(ran.code).toBe(6)
  })

  it('is one that accepts connections and says nothing', async () => {
    const mute = await aMuteServer()

    const ran = await adminOf({ address: mute })('queue', 'stats', '--timeout', '50ms')

    expect(ran.code).toBe(6)
    expect(ran.err).toContain(mute)
  })
})

describe('the token', () => {
  const broker = sharedBroker(`--auth-tokens=[{"name":"ops","sha256":"${HASH}"}]`)

  it('comes from the environment', async () => {
    const ran = await adminOf(broker, { env: { TQ_TOKEN: TOKEN } })('queue', 'stats')

    expect(ran.code).toBe(0)
  })

  it('comes from a file before the environment, without the line break at its end', async () => {
    const file = await aFile(`${TOKEN}\n`)

    const ran = await adminOf(broker, { env: { TQ_TOKEN: 'wrong' } })(
      'queue',
      'stats',
      '--token-file',
      file,
    )

    expect(ran.code).toBe(0)
  })

  it.each([
    ['missing', {}],
    ['wrong', { TQ_TOKEN: `${TOKEN}x` }],
  ])('is asked for if it is %s', async (_, env) => {
    const ran = await adminOf(broker, { env })('queue', 'stats')

    expect(ran).toMatchObject({ code: 5, out: '' })
    expect(ran.err).toContain('(UNAUTHENTICATED)\nGive the token')
    expect(ran.err).not.toContain(TOKEN)
  })

  it('is refused if its file is not there, or empty', async () => {
    const missing = await adminOf(broker)('queue', 'stats', '--token-file', '/no/such/file')
    const empty = await adminOf(broker)('queue', 'stats', '--token-file', await aFile(' \n'))

    expect(missing).toMatchObject({ code: 2, out: '' })
    expect(missing.err).toContain('--token-file cannot be read: ENOENT')
    expect(empty).toMatchObject({ code: 2, out: '' })
    expect(empty.err).toContain('is empty; it must hold the access token')
  })

  it('is no option: arguments can be read by everybody', async () => {
    const ran = await adminOf(broker)('queue', 'stats', '--token', TOKEN)

    expect(ran.code).toBe(2)
    expect(ran.err).toContain("unknown option '--token'")
  })
})

describe('a broker that is just starting', () => {
  it('is waited for', async () => {
    const broker = await aBroker()
    const address = await aDeadAddress()

    const running = adminOf({ address })('queue', 'stats')
    await aWayTo(broker.address, address)
    const ran = await running

    expect(ran.code).toBe(0)
  })

  it('is waited for until Ctrl-C', async () => {
    const interruption = new AbortController()
    const dead = await aDeadAddress()
    const running = adminOf({ address: dead }, { interrupted: interruption.signal })(
      'queue',
      'stats',
    )
    interruption.abort(new Error('interrupted'))

    expect((await running).code).toBe(130)
  })
})

describe('a restart of the broker', () => {
  it('does not end a wait', async () => {
    const broker = await aBroker()
    const notes: string[] = []
    const steps: Promise<unknown>[] = []
    const onNote = (text: string): void => {
      notes.push(text)
      if (text.includes('waiting for its end')) steps.push(restart(broker))
      // Somebody can cancel the task when the broker is back.
      if (text.startsWith('connected again')) steps.push(cancelAll(broker))
    }

    const ran = await adminOf(broker, { onNote })('task', 'enqueue', 'mail', 'welcome', '--wait')
    await Promise.all(steps)

    expect(ran).toMatchObject({ code: 1, out: '' })
    expect(notes.slice(1)).toEqual([
      `lost the broker at ${broker.address}; waiting for it to come back`,
      `connected again, to ${broker.address}`,
      expect.stringContaining('is cancelled'),
    ])
  })
})

const ID = '01a1f866-0d00-7000-92eb-30557a9fc4e9'

async function restart(broker: BrokerProcess): Promise<void> {
  await broker.stop()
  await broker.start()
}

async function cancelAll(broker: BrokerProcess): Promise<void> {
  const run = adminOf(broker)
  const { out } = await run('task', 'list', '-o', 'json')
  const { tasks } = JSON.parse(out) as { tasks: { id: string }[] }
  await run('task', 'cancel', ...tasks.map(({ id }) => id))
}

async function aDeadAddress(): Promise<string> {
  const server = createServer()
  const address = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return address
}

/** How a broker begins to listen, a moment after it was asked: a start takes as long as it likes. */
async function aWayTo(broker: string, address: string): Promise<void> {
  const [to, from] = [broker, address].map((text) => Number(text.split(':')[1]))
  const server = createServer((socket) => {
    const onward = connect(to as number, '127.0.0.1')
    socket.on('error', () => onward.destroy()).pipe(onward)
    onward.on('error', () => socket.destroy()).pipe(socket)
    onTestFinished(() => void socket.destroy())
  })
  onTestFinished(() => void server.close())
  await pause(STARTING_MS / 8)
  await new Promise<void>((resolve) => server.listen(from, '127.0.0.1', resolve))
}

async function aMuteServer(): Promise<string> {
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy())
  })
  onTestFinished(() => void server.close())
  return listen(server)
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

async function aFile(content: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tq-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'token')
  await writeFile(path, content)
  return path
}
