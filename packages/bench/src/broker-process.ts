// The broker under test: a real process with its data on disk, measured from outside.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TqClient } from '@tq/client'
import { freePort } from './demo/processes.ts'

const ENTRY = fileURLToPath(new URL('../../broker/dist/main.js', import.meta.url))
/** Ticks of the kernel's CPU clock a second, as Linux fixes it for user space. */
const CLOCK_TICKS_PER_SECOND = 100

export class BrokerProcess {
  readonly directory: string
  readonly port: number
  readonly #nodeFlags: readonly string[]
  #child: ChildProcess | undefined

  /** @param nodeFlags Flags for Node itself, such as those of its profiler. */
  static async make(nodeFlags: readonly string[]): Promise<BrokerProcess> {
    const root = process.env['BENCH_DIR'] ?? tmpdir()
    return new BrokerProcess(mkdtempSync(join(root, 'tq-bench-')), await freePort(), nodeFlags)
  }

  private constructor(directory: string, port: number, nodeFlags: readonly string[]) {
    this.directory = directory
    this.port = port
    this.#nodeFlags = nodeFlags
  }

  /** Starts it; resolves when it answers. Tells how long that took, in ms. */
  async start(): Promise<number> {
    const sinceMs = performance.now()
    const argv = [
      ...this.#nodeFlags,
      ENTRY,
      `--data-dir=${this.directory}`,
      `--port=${this.port}`,
      '--http-enabled=false',
      '--log-level=warn',
    ]
    this.#child = spawn(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit'] })
    const reconnect = { baseMs: 5, capMs: 10 }
    const client = new TqClient({ address: `127.0.0.1:${this.port}`, reconnect })
    await client.ping({ timeoutMs: 120_000 })
    await client.close()
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
    await this.kill(this.#nodeFlags.length > 0 ? 'SIGTERM' : 'SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** CPU time of all its threads so far, in µs; in steps of the kernel's clock, 10 ms. */
  cpuUs(): number {
    const stat = readFileSync(`/proc/${this.#pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return (ticks / CLOCK_TICKS_PER_SECOND) * 1_000_000
  }

  /** Its share of memory (PSS), in bytes. */
  memoryBytes(): number {
    const rollup = readFileSync(`/proc/${this.#pid}/smaps_rollup`, 'latin1')
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1_024
  }

  get #pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('the broker does not run')
    return pid
  }
}
