// A built broker as a process, with a data directory of its own; it never outlives its test.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, onTestFinished } from 'vitest'

const ENTRY = fileURLToPath(new URL('../../broker/dist/main.js', import.meta.url))
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

export class BrokerProcess {
  readonly #flags: readonly string[]
  #directory = ''
  #port = 0
  #child: ChildProcess | undefined

  constructor(flags: readonly string[]) {
    this.#flags = flags
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Starts it, or starts it again on the same port; resolves when it listens. */
  async start(): Promise<void> {
    if (!existsSync(ENTRY)) throw new Error(`${ENTRY} is missing; build first: tsc -b packages`)
    if (this.#directory === '') this.#directory = await mkdtemp(join(tmpdir(), 'tq-cli-'))
    const where = [`--data-dir=${join(this.#directory, 'data')}`, `--port=${this.#port}`]
    const args = [ENTRY, ...where, '--http-enabled=false', ...this.#flags]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    alive.add(child)
    child.once('exit', () => alive.delete(child))
    this.#child = child
    this.#port = await portOf(child)
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }

  async remove(): Promise<void> {
    await this.stop()
    if (this.#directory !== '') await rm(this.#directory, { recursive: true, force: true })
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('the output of the broker is not piped')
  const said: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line)
    const entry = JSON.parse(line) as { event: string; address?: { port: number } }
    if (entry.event !== 'started' || entry.address === undefined) continue
    child.stdout.resume() // the rest of the log is not looked at, and must not fill the pipe
    return entry.address.port
  }
  throw new Error(`the broker ended without listening, saying:\n${said.join('\n')}`)
}
