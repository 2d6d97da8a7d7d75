// The process: flags, signals, exit codes and the log, as a supervisor sees them.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { newToken, tokenHash } from './access/token.ts'
import { configExample } from './config/example.ts'
import { EXIT_CODES } from './exit-code.ts'
import { BROKER_VERSION } from './version.ts'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const ANY_PORTS = ['--port', '0', '--http-port', '0']

interface Line {
  readonly event: string
  readonly [field: string]: unknown
}

function start(
  args: readonly string[],
  more: { readonly script?: string; readonly imports?: string[] } = {},
): ChildProcess {
  const { script = 'main.ts', imports = [] } = more
  const loaders = ['tsx', ...imports].flatMap((name) => ['--import', name])
  const command = [...loaders, '--conditions=@tq/source', `src/${script}`, ...args]
  const { PATH } = process.env
  const child = spawn(process.execPath, command, { cwd: PACKAGE, env: { PATH } })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function end(child: ChildProcess, input = ''): Promise<Ended> {
  const { stdin, stdout, stderr } = child
  if (stdin === null || stdout === null || stderr === null) throw new Error('it has pipes')
  stdin.end(input)
  const [out, err, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'close')])
  return { code: code as number | null, out, err }
}

function run(args: readonly string[], input = ''): Promise<Ended> {
  return end(start(args), input)
}

/** A broker that listens, and the lines of its log. */
class RunningBroker {
  readonly child: ChildProcess
  readonly lines: Line[] = []
  readonly #ended: Promise<unknown>
  #err = ''
  #wake: () => void = () => undefined

  constructor(child: ChildProcess) {
    this.child = child
    this.#ended = once(child, 'close')
    void this.#ended.then(() => this.#wake())
    if (child.stdout === null || child.stderr === null) throw new Error('it has pipes')
    child.stderr.on('data', (chunk) => (this.#err += String(chunk)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line)
      this.#wake()
    })
  }

  async line(event: string): Promise<Line> {
    for (;;) {
      const line = this.lines.find((candidate) => candidate.event === event)
      if (line !== undefined) return line
      if (this.child.exitCode !== null) throw new Error(`it has ended: ${this.#err}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal)
    await this.#ended
    return this.child.exitCode
  }

  get err(): string {
    return this.#err
  }
}

async function aDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tq-main-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function aBroker(
  args: readonly string[] = ANY_PORTS,
  imports: string[] = [],
): Promise<RunningBroker & { readonly directory: string }> {
  const directory = await aDirectory()
  const broker = new RunningBroker(start(['--data-dir', directory, ...args], { imports }))
  await broker.line('listening')
  return Object.assign(broker, { directory })
}

describe('the command', () => {
  it('prints its version, its help and an example of a configuration', async () => {
    const [version, help, example] = await Promise.all([
      run(['--version']),
      run(['--help']),
      run(['--print-config-example']),
    ])

    expect(version).toEqual({ code: 0, out: `${BROKER_VERSION}\n`, err: '' })
    expect(help.out).toContain('--http-port')
    expect(example.out).toBe(configExample())
  })

  it('begins with a file that is no ES module', async () => {
    const { code, out } = await end(start(['--version'], { script: 'tq-broker.cts' }))

    expect([code, out]).toEqual([0, `${BROKER_VERSION}\n`])
  })

  it('refuses a wrong configuration with all that is wrong in it', async () => {
    const { code, out, err } = await run(['--port', 'x', '--log-level', 'loud'])

    expect(code).toBe(EXIT_CODES.usage.code)
    expect(out).toBe('')
    expect(err).toContain('the configuration has 2 problems')
    expect(err).toContain('--port: port must be a whole number')
  })

  it('checks a configuration without starting', async () => {
    const { code, out } = await run(['--check-config'])

    expect([code, out]).toEqual([0, 'the configuration is right\n'])
  })

  it('makes a token and its line for the configuration', async () => {
    const { code, out } = await run(['--new-token'])
    const [token = '', line] = out.split('\n')

    expect(code).toBe(0)
    expect(line).toContain(tokenHash(token).toString('hex'))
  })

  it('hashes a token from its input, and no weak one', async () => {
    const token = newToken()
    const [good, weak] = await Promise.all([
      run(['--hash-token'], `${token}\n`),
      run(['--hash-token'], 'hunter2\n'),
    ])

    expect(good.out).toBe(`- { name: NAME, sha256: ${tokenHash(token).toString('hex')} }\n`)
    expect(weak.code).toBe(EXIT_CODES.usage.code)
    expect(weak.err).not.toContain('hunter2')
  })
})

describe('the broker process', () => {
  it('serves health, and ends well when asked to stop', async () => {
    const broker = await aBroker()
    const { http } = (await broker.line('listening')) as unknown as { http: AddressInfo }
    const ready = await fetch(`http://127.0.0.1:${http.port}/readyz`)
    expect(await ready.json()).toEqual({ ready: true })

    expect(await broker.stop('SIGTERM')).toBe(EXIT_CODES.ok.code)
    expect(broker.lines.map(({ event }) => event)).toEqual([
      'starting',
      'started',
      'listening',
      'stopping',
      'stopped',
    ])
    expect(broker.err).toBe('')
  })

  it('goes on after a hang-up, and though nobody reads its log any more', async () => {
    const broker = await aBroker()
    broker.child.kill('SIGHUP')
    await broker.line('signal-ignored')
    broker.child.stdout?.destroy()
    broker.child.kill('SIGHUP')

    expect(await broker.stop('SIGINT')).toBe(EXIT_CODES.ok.code)
  })

  it('refuses a data directory that is in use', async () => {
    const { directory, child } = await aBroker()
    const second = await run(['--data-dir', directory, ...ANY_PORTS])

    expect(second.code).toBe(EXIT_CODES.store.code)
    expect(second.err).toContain(`in use by process ${child.pid}`)
    expect(second.out).toContain('"event":"start-refused"')
  })

  it('refuses a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const directory = await aDirectory()
    const { code, err } = await run(['--data-dir', directory, '--port', `${port}`])

    expect(code).toBe(EXIT_CODES.address.code)
    expect(err).toContain(`cannot listen on 127.0.0.1:${port}: the address is in use`)
  })

  it('ends with a line and a code when a bug shows itself', async () => {
    const planted = 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("planted")})'
    const broker = await aBroker(ANY_PORTS, [planted])

    expect(await broker.stop('SIGUSR2')).toBe(EXIT_CODES.failed.code)
    expect(broker.lines.at(-1)).toMatchObject({ event: 'crashed', error: { message: 'planted' } })
    expect(broker.err).toContain('a bug in tq: planted')
  })
})
