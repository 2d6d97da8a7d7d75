// A built broker as a process, with a data directory of its own; it never outlives its test.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, onTestFinished } from 'vitest'

const ENTRY = fileURLToPath(new URL('../../broker/dist/main.js', import.meta.url))
const LISTENING = /"event":"listening","address":\{"host":"[^"]*","port":(\d+)\}/
/** What still runs, so that nothing is left even if the test runner is stopped in the middle. */
const alive = new Set<ChildProcess>()

process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** A broker for all tests of a file; each test takes a queue of its own. */
export function sharedBroker(...flags: readonly string[]): BrokerProcess {
  const broker = new BrokerProcess(flags)
  beforeAll(() => broker.start())
  afterAll(() => broker.remove())
  return broker
}

/** A broker for one test. */
export async function aBroker(...flags: readonly string[]): Promise<BrokerProcess> {
  const broker = new BrokerProcess(flags)
  onTestFinished(() => broker.remove())
  await broker.start()
  return broker
}

/** A broker for one test, on a data directory that is there already. */
export async function aBrokerOn(directory: string): Promise<BrokerProcess> {
  const broker = new BrokerProcess([], directory)
  onTestFinished(() => broker.remove())
  await broker.start()
  return broker
}

export class BrokerProcess {
  readonly #flags: readonly string[]
  readonly #ownDirectory: string | undefined
  #directory = ''
  #port = 0
  #child: ChildProcess | undefined

  /** @param ownDirectory A data directory of the test; one is made, and removed, if left out. */
  constructor(flags: readonly string[], ownDirectory?: string) {
    this.#flags = flags
    this.#ownDirectory = ownDirectory
  }

  get dataDirectory(): string {
    return this.#ownDirectory ?? join(this.#directory, 'data')
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Starts it, or starts it again on the same port; resolves when it listens. */
  async start(): Promise<void> {
    if (!existsSync(ENTRY)) throw new Error(`${ENTRY} is missing; build first: tsc -b packages`)
    if (this.#directory === '' && this.#ownDirectory === undefined) {
      this.#directory = await mkdtemp(join(tmpdir(), 'tq-cli-'))
    }
    const where = [`--data-dir=${this.dataDirectory}`, `--port=${this.#port}`]
    const args = [ENTRY, ...where, '--http-enabled=false', ...this.#flags]
    const child = spawn(process.execPath, args, {
      env: withoutOptions(process.env),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    alive.add(child)
    child.once('exit', () => alive.delete(child))
    this.#child = child
    this.#port = await portOf(child)
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || !alive.has(child)) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }

  /** Ends it where it stands. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || !alive.has(child)) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async remove(): Promise<void> {
    await this.stop()
    if (this.#directory !== '') await rm(this.#directory, { recursive: true, force: true })
  }
}

/** The port that the broker tells of in its log. All of the log is read, so that its pipe never fills. */
function portOf(child: ChildProcess): Promise<number> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const port = LISTENING.exec(said)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
    child.once('close', () => reject(new Error(`the broker ended before it listened: ${said}`)))
  })
}

/** What the developer's shell says about brokers is not meant for those under test. */
function withoutOptions(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TQ_')))
}
