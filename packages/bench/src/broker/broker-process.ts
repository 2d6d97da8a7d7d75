// The broker under test: a real process with its data on disk, measured from outside.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TqClient } from '@tq/client'
import { freePort } from '../demo/processes.ts'
import { Exposition } from './exposition.ts'
import { cpuUsOf, diskBytesOf, memoryBytesOf } from './process-usage.ts'

/** The checkout that this bench belongs to. */
export const OWN_CHECKOUT: string = fileURLToPath(new URL('../../../../', import.meta.url))
/** How long it may take to recover and listen, in ms: five million tasks are among what is measured. */
const START_MS = 600_000

export interface BrokerPlan {
  /** Root of a checkout that has been built. */
  readonly checkout: string
  /** For Node itself, such as those of its profiler. */
  readonly nodeFlags: readonly string[]
}

/** Its program in a checkout. */
export function brokerEntry(checkout: string): string {
  return join(checkout, 'packages/broker/dist/main.js')
}

/** Where data directories are made: the disk that is measured. */
export function dataRoot(): string {
  return process.env['BENCH_DIR'] ?? tmpdir()
}

export class BrokerProcess {
  readonly directory: string
  readonly port: number
  readonly #httpPort: number
  readonly #plan: BrokerPlan
  #child: ChildProcess | undefined

  static async make(plan: BrokerPlan): Promise<BrokerProcess> {
    const directory = mkdtempSync(join(dataRoot(), 'tq-bench-'))
    const port = await freePort()
    let httpPort = port
    while (httpPort === port) httpPort = await freePort()
    return new BrokerProcess(directory, [port, httpPort], plan)
  }

  private constructor(directory: string, ports: readonly [number, number], plan: BrokerPlan) {
    this.directory = directory
    ;[this.port, this.#httpPort] = ports
    this.#plan = plan
  }

  /** Starts it; resolves when it answers. Tells how long that took, in ms. */
  async start(): Promise<number> {
    const sinceMs = performance.now()
    const argv = [
      ...this.#plan.nodeFlags,
      brokerEntry(this.#plan.checkout),
      `--data-dir=${this.directory}`,
      `--port=${this.port}`,
      `--http-port=${this.#httpPort}`,
      '--log-level=warn',
    ]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit'] })
    this.#child = child
    const reconnect = { baseMs: 5, capMs: 10 }
    const client = new TqClient({ address: `127.0.0.1:${this.port}`, reconnect })
    const ended = new AbortController()
    child.once('exit', () => ended.abort())
    try {
      await client.ping({ timeoutMs: START_MS, signal: ended.signal })
    } catch (error) {
      if (!ended.signal.aborted) throw error
      throw new Error('the broker has ended while it started; it says why above', { cause: error })
    } finally {
      await client.close({ deadlineMs: 0 })
    }
    return performance.now() - sinceMs
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  async remove(): Promise<void> {
    // A profile is written by a process that ends by itself.
    await this.kill(this.#plan.nodeFlags.length > 0 ? 'SIGTERM' : 'SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** CPU time of all its threads so far, in µs; in steps of 10 ms. */
  cpuUs(): number {
    return cpuUsOf(this.#pid)
  }

  /** Its share of memory (PSS), in bytes. */
  memoryBytes(): number {
    return memoryBytesOf(this.#pid)
  }

  /** Bytes of its data directory on disk. */
  diskBytes(): number {
    return diskBytesOf(this.directory)
  }

  /** What it tells of itself. Its delays of the event loop are those since the question before. */
  async metrics(): Promise<Exposition> {
    const answer = await fetch(`http://127.0.0.1:${this.#httpPort}/metrics`)
    if (!answer.ok) throw new Error(`the broker answers /metrics with ${answer.status}`)
    return new Exposition(await answer.text())
  }

  get #pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('the broker does not run')
    return pid
  }
}
