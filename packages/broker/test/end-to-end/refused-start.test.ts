// A broker that cannot start says why, what to do, and ends with a code that tells the kinds apart.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { sharedBroker, TestBroker } from './test-broker.ts'
import { TestProcess } from './test-process.ts'

const USAGE = 2
const STORE = 3
const ADDRESS = 4

const running = sharedBroker()
/** Stopped by the first test that needs it; those that follow damage its directory in turn. */
let stopped: TestBroker | undefined

afterAll(() => stopped?.remove())

describe('a data directory', () => {
  it('in use is refused, naming the process that uses it', async () => {
    const { code, said } = await refusal(running.args())

    expect(code).toBe(STORE)
    expect(said).toContain(`${running.directory} is in use by process ${running.process.pid}`)
    expect(said).toContain('Stop that one first')
    expect(running.process.isRunning).toBe(true)
  })

  it('wanted by two brokers at once is given to one of them', async () => {
    const root = await aDirectory()
    const args = [`--data-dir=${root}/new`, '--port=0', '--http-enabled=false']
    const both = [new TestProcess('broker', args), new TestProcess('broker', args)]
    onTestFinished(async () => void (await Promise.all(both.map((one) => one.kill()))))

    const loser = await Promise.race(
      both.map(async (one) => {
        expect((await one.exited).code).toBe(STORE)
        return one
      }),
    )
    const winner = both.find((one) => one !== loser)!

    await winner.event('listening')
    expect(loser.output).toContain(`is in use by process ${winner.pid}`)
  })

  it('of a newer format is refused, and left as it is', async () => {
    const broker = await aStoppedBroker()
    const path = join(broker.directory, 'identity')
    const before = await readFile(path, 'utf8')
    const newer = before.replace(/"formatVersion":\d+/, '"formatVersion":99')
    await writeFile(path, newer)

    const { code, said } = await refusal(broker.args())

    expect(code).toBe(STORE)
    expect(said).toMatch(/has format 99; this broker knows formats up to \d+\. Use the version/)
    expect(await readFile(path, 'utf8')).toBe(newer)
    await writeFile(path, before)
  })

  it('whose store is gone is refused; no empty one is put in its place', async () => {
    const broker = await aStoppedBroker()
    const current = join(broker.directory, 'store', 'CURRENT')
    const before = await readFile(current)
    await rm(current)

    for (let tries = 0; tries < 2; tries += 1) {
      const { code, said } = await refusal(broker.args())
      expect(code).toBe(STORE)
      expect(said).toContain(`${current} is missing`)
      expect(said).toContain('no empty store is put in its place')
    }

    await writeFile(current, before)
    await broker.start()
    expect(await (await broker.wire()).stats('kept')).toMatchObject({ queued: 3 })
    await broker.stop()
  })

  it('that is a file is refused', async () => {
    const broker = await aStoppedBroker()
    const path = join(broker.directory, 'identity')

    const { code, said } = await refusal([`--data-dir=${path}`, '--port=0'])

    expect(code).toBe(STORE)
    expect(said).toContain(path)
  })
})

describe('a wrong configuration', () => {
  it('is refused with all its mistakes, each with its place in the file', async () => {
    const file = await aFile(`port: 74610
limits:
  freeBytesMin: lots
  tasksMx: 10
workers:
  heartbeatMs: 5s
  deadMs: 6s
`)
    const { code, said } = await refusal([`--config=${file}`, '--data-dir=/nowhere'])

    expect(code).toBe(USAGE)
    expect(said).toMatch(new RegExp(`${file}:1\\D.*port.*74610`))
    expect(said).toMatch(new RegExp(`${file}:3\\D.*freeBytesMin`))
    expect(said).toMatch(new RegExp(`${file}:4\\D.*tasksMx.*tasksMax`))
    expect(said).toMatch(new RegExp(`${file}:7\\D.*deadMs`))
  })

  it('is refused on the command line, naming the flag that may have been meant', async () => {
    const { code, said } = await refusal(['--data-dri=/nowhere'])

    expect(code).toBe(USAGE)
    expect(said).toMatch(/--data-dri\b.*--data-dir\b/)
  })

  it('is refused for an address beyond this machine without a token', async () => {
    const { code, said } = await refusal(['--host=0.0.0.0', '--data-dir=/nowhere'])

    expect(code).toBe(USAGE)
    expect(said).toMatch(/host.* 0\.0\.0\.0.*auth\.tokens.*allowPlaintext/)
  })
})

describe('an address', () => {
  it('in use is refused, and the data directory is free again', async () => {
    const broker = await aStoppedBroker()
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo

    const { code, said } = await refusal([...broker.args().slice(0, 1), `--port=${port}`])

    expect(code).toBe(ADDRESS)
    expect(said).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*in use.*--port`))
    await broker.start()
    await broker.stop()
  })
})

/** The exit code of a broker that is not supposed to start, and its words on standard error. */
async function refusal(args: readonly string[]): Promise<{ code: number | null; said: string }> {
  const broker = new TestProcess('broker', args)
  onTestFinished(() => broker.kill())
  const { code } = await broker.exited
  // Standard output has the log; a person reads the other lines.
  const said = broker.output.split('\n').filter((line) => !line.startsWith('{'))
  return { code, said: said.join('\n') }
}

async function aStoppedBroker(): Promise<TestBroker> {
  if (stopped !== undefined) return stopped
  const broker = new TestBroker([])
  stopped = broker
  await broker.start()
  await (await broker.wire()).enqueue('kept', 3)
  await broker.stop()
  return broker
}

async function aFile(text: string): Promise<string> {
  const path = join(await aDirectory(), 'broker.yml')
  await writeFile(path, text)
  return path
}

async function aDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tq-e2e-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}
