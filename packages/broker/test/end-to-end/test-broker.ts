// A tq-broker process with a data directory of its own, and those who talk to it.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { FaultProxy } from './fault-proxy.ts'
import { type Exit, type ProcessOptions, TestProcess } from './test-process.ts'
import { WireClient, type WireOptions } from './wire-client.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** A broker for all tests of a file; each test takes a queue of its own. */
export function sharedBroker(...flags: readonly string[]): TestBroker {
  const broker = new TestBroker(flags)
  beforeAll(() => broker.start())
  afterAll(() => broker.remove())
  return broker
}

/** A broker for one test. */
export async function aBroker(...flags: readonly string[]): Promise<TestBroker> {
  const broker = new TestBroker(flags)
  onTestFinished(() => broker.remove())
  await broker.start()
  return broker
}

export class TestBroker {
  readonly #flags: readonly string[]
  #root = ''
  #process: TestProcess | undefined
  #address: Address | undefined

  constructor(flags: readonly string[]) {
    this.#flags = flags
  }

  /** Starts it, again if it has ended; resolves when it listens. */
  async start(flags: readonly string[] = [], options: ProcessOptions = {}): Promise<void> {
    if (this.#root === '') this.#root = await mkdtemp(join(tmpdir(), 'tq-e2e-'))
    this.#process = new TestProcess('broker', [...this.args(), ...flags], options)
    const listening = await this.#process.event('listening')
    this.#address = listening['address'] as Address
  }

  get directory(): string {
    return join(this.#root, 'data')
  }

  get address(): Address {
    if (this.#address === undefined) throw new Error('the broker was not started')
    return this.#address
  }

  get process(): TestProcess {
    if (this.#process === undefined) throw new Error('the broker was not started')
    return this.#process
  }

  /** What it is started with; another broker with the same arguments wants the same directory. */
  args(): readonly string[] {
    return [`--data-dir=${this.directory}`, '--port=0', '--http-enabled=false', ...this.#flags]
  }

  /** The power goes, as far as one process can tell. */
  async kill(): Promise<void> {
    await this.process.kill()
  }

  async stop(): Promise<Exit> {
    this.process.signal('SIGTERM')
    return this.process.exited
  }

  async remove(): Promise<void> {
    await this.#process?.kill()
    if (this.#root !== '') await rm(this.#root, { recursive: true, force: true })
  }

  /** A connection that speaks the protocol by hand; closed when the test is over. */
  async wire(options: WireOptions = {}): Promise<WireClient> {
    const wire = await WireClient.connect(this.address, options)
    onTestFinished(() => wire.destroy())
    return wire
  }

  /** An address that stays the same over restarts, and the place for faults of the network. */
  async proxy(): Promise<FaultProxy> {
    const proxy = await FaultProxy.start(() => this.address)
    onTestFinished(() => proxy.stop())
    return proxy
  }
}
