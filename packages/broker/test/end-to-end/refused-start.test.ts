// A broker that cannot start says why, what to do, and ends with a code that tells the kinds apart.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedBroker, TestBroker } from './test-broker.ts'
import { TestProcess } from './test-process.ts'
import { WireClient } from './wire-client.ts'

const USAGE = 2
const STORE = 3
const ADDRESS = 4

const WRONG_FILE = `port: 74610
limits:
  freeBytesMin: lots
  tasksMx: 10
workers:
  heartbeatMs: 5s
  deadMs: 6s
`

interface Refusal {
  readonly code: number | null
  /** What it wrote for people: all but the log. */
  readonly said: string
}

const running = sharedBroker()
/** Stopped in peace; those who damage its directory mend it again. */
const stopped = new TestBroker([])
const taken = createServer()
const processes: TestProcess[] = []
let root = ''

// Most of these brokers end by themselves at once: they are all started together.
let inUse: Promise<Refusal>
let notADirectory: Promise<Refusal>
let wrongFile: Promise<Refusal>
let wrongFlag: Promise<Refusal>
let exposed: Promise<Refusal>
let portTaken: Promise<Refusal>

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tq-e2e-'))
  await writeFile(join(root, 'broker.yml'), WRONG_FILE)
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  inUse = refusalOf(running.args())
  notADirectory = refusalOf([`--data-dir=${join(root, 'broker.yml')}`, '--port=0'])
  wrongFile = refusalOf([`--config=${join(root, 'broker.yml')}`])
  wrongFlag = refusalOf(['--data-dri=/nowhere'])
  exposed = refusalOf(['--host=0.0.0.0', '--data-dir=/nowhere'])
  portTaken = refusalOf([`--data-dir=${join(root, 'free')}`, `--port=${port}`])
  await stopped.start()
  const wire = await WireClient.connect(stopped.address)
  await wire.enqueue('kept', 3)
  wire.destroy()
  await stopped.stop()
})

afterAll(async () => {
  taken.close()
  await Promise.all(processes.map((one) => one.kill()))
  await stopped.remove()
  await rm(root, { recursive: true, force: true })
})

describe('a data directory', () => {
  it('in use is refused, naming the process that uses it', async () => {
    const { code, said } = await inUse

    expect(code).toBe(STORE)
    expect(said).toContain(`${running.directory} is in use by process ${running.process.pid}`)
    expect(said).toContain('Stop that one first')
    expect(running.process.isRunning).toBe(true)
  })

  it('wanted by two brokers at once is given to one of them', async () => {
    const args = [`--data-dir=${join(root, 'new')}`, '--port=0', '--http-enabled=false']
    const both = [aProcess(args), aProcess(args)]

    const loser = await Promise.race(both.map(async (one) => one.exited.then(() => one)))

    expect((await loser.exited).code).toBe(STORE)
    const winner = both.find((one) => one !== loser)!
    expect(loser.output).toContain(`is in use by process ${winner.pid}`)
    await winner.event('listening')
  })

  it('that is no directory is refused', async () => {
    const { code, said } = await notADirectory

    expect(code).toBe(STORE)
    expect(said).toContain(join(root, 'broker.yml'))
  })

  it('of a newer format is refused, and left as it is', async () => {
    const path = join(stopped.directory, 'identity')
    const before = await readFile(path, 'utf8')
    const newer = before.replace(/"formatVersion":\d+/, '"formatVersion":99')
    await writeFile(path, newer)

    const { code, said } = await refusalOf(stopped.args())

    expect(code).toBe(STORE)
    expect(said).toMatch(/has format 99; this broker knows formats up to \d+\. Use the version/)
    expect(await readFile(path, 'utf8')).toBe(newer)
    await writeFile(path, before)
  })

  it('whose store cannot be found is refused; no empty one is put in its place', async () => {
    const current = join(stopped.directory, 'store', 'CURRENT')
    const before = await readFile(current)
    await rm(current)

    const { code, said } = await refusalOf(stopped.args())

    expect(code).toBe(STORE)
    expect(said).toContain(`${current} is missing`)
    expect(said).toContain(`tq-admin store check ${stopped.directory}`)
    await writeFile(current, before)
    await stopped.start()
    expect(await (await stopped.wire()).stats('kept')).toMatchObject({ queued: 3 })
  })
})

describe('a wrong configuration', () => {
  it('is refused with all its mistakes, each with its place in the file', async () => {
    const { code, said } = await wrongFile

    const file = join(root, 'broker.yml')
    expect(code).toBe(USAGE)
    expect(said).toMatch(new RegExp(`${file}:1\\D.*port.*74610`))
    expect(said).toMatch(new RegExp(`${file}:3\\D.*freeBytesMin`))
    expect(said).toMatch(new RegExp(`${file}:4\\D.*tasksMx.*tasksMax`))
    expect(said).toMatch(new RegExp(`${file}:7\\D.*deadMs`))
  })

  it('is refused on the command line, naming the flag that may have been meant', async () => {
    const { code, said } = await wrongFlag

    expect(code).toBe(USAGE)
    expect(said).toMatch(/--data-dri\b.*--data-dir\b/)
  })

  it('is refused for an address beyond this machine without a token', async () => {
    const { code, said } = await exposed

    expect(code).toBe(USAGE)
    expect(said).toMatch(/host.* 0\.0\.0\.0.*auth\.tokens.*allowPlaintext/)
  })
})

describe('an address', () => {
  it('in use is refused, and the data directory is free again', async () => {
    const { code, said } = await portTaken

    const { port } = taken.address() as AddressInfo
    expect(code).toBe(ADDRESS)
    expect(said).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*in use.*--port`))
    const directory = `--data-dir=${join(root, 'free')}`
    await aProcess([directory, '--port=0', '--http-enabled=false']).event('listening')
  })
})

/** The end of a broker that is not supposed to start. */
async function refusalOf(args: readonly string[]): Promise<Refusal> {
  const broker = aProcess(args)
  const { code } = await broker.exited
  const said = broker.output.split('\n').filter((line) => !line.startsWith('{'))
  return { code, said: said.join('\n') }
}

function aProcess(args: readonly string[]): TestProcess {
  const broker = new TestProcess('broker', args)
  processes.push(broker)
  return broker
}
