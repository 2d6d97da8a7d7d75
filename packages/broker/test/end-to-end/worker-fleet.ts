// tq-worker processes, and the file in which their handlers write down what they run.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { TestProcess } from './test-process.ts'

const HANDLERS = fileURLToPath(new URL('./worker-handlers.mjs', import.meta.url))

/** One run of a handler. */
export interface Run {
  readonly id: string
  readonly attempt: number
  readonly token: number
  readonly pid: number
}

export interface FleetOptions {
  readonly queue: string
  readonly concurrency: number
  readonly leaseMs: number
}

export class WorkerFleet {
  readonly #to: { readonly address: { readonly host: string; readonly port: number } }
  readonly #options: FleetOptions
  readonly #directory: string
  readonly workers: TestProcess[] = []

  /** @param to A broker, or the proxy in front of one. */
  static async start(
    to: { readonly address: { readonly host: string; readonly port: number } },
    count: number,
    options: FleetOptions,
  ): Promise<WorkerFleet> {
    const directory = await mkdtemp(join(tmpdir(), 'tq-e2e-'))
    const fleet = new WorkerFleet(to, options, directory)
    onTestFinished(() => fleet.#remove())
    for (let number = 1; number <= count; number += 1) fleet.add(`worker-${number}`)
    return fleet
  }

  private constructor(
    to: { readonly address: { readonly host: string; readonly port: number } },
    options: FleetOptions,
    directory: string,
  ) {
    this.#to = to
    this.#options = options
    this.#directory = directory
  }

  /** The payload of a task for these workers. It runs until `open` if it is gated. */
  payload(isGated: boolean): { readonly journal: string; readonly gate?: string } {
    return { journal: this.#journal, ...(isGated ? { gate: this.#gate } : {}) }
  }

  add(name: string): TestProcess {
    const { queue, concurrency, leaseMs } = this.#options
    const { host, port } = this.#to.address
    const worker = new TestProcess('worker', [
      `--module=${HANDLERS}`,
      `--queues=${queue}`,
      `--address=${host}:${port}`,
      `--name=${name}`,
      `--concurrency=${concurrency}`,
      `--lease-ms=${leaseMs}`,
    ])
    this.workers.push(worker)
    return worker
  }

  /** Lets the gated handlers end. */
  async open(): Promise<void> {
    await writeFile(this.#gate, '')
  }

  async runs(): Promise<readonly Run[]> {
    const text = await readFile(this.#journal, 'utf8').catch(() => '')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [id = '', attempt, token, pid] = line.split(' ')
        return { id, attempt: Number(attempt), token: Number(token), pid: Number(pid) }
      })
  }

  get #journal(): string {
    return join(this.#directory, 'journal')
  }

  get #gate(): string {
    return join(this.#directory, 'gate')
  }

  async #remove(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()))
    await rm(this.#directory, { recursive: true, force: true })
  }
}
