// A tq-broker process for a rig: on a directory of the rig's choice, inside and outside a test runner.

import { type Exit, type ProcessOptions, TestProcess } from './end-to-end/test-process.ts'
import { WireClient, type WireOptions } from './end-to-end/wire-client.ts'

export interface RigAddress {
  readonly host: string
  readonly port: number
}

export class RigBroker {
  readonly directory: string
  readonly #flags: readonly string[]
  #process: TestProcess | undefined
  #address: RigAddress | undefined

  /** @param flags Of every start, beside a free port and no HTTP. */
  constructor(directory: string, flags: readonly string[] = []) {
    this.directory = directory
    this.#flags = flags
  }

  /** Starts it, again if it has ended; resolves when it listens. @throws what it said, if it ends. */
  async start(options: ProcessOptions = {}, flags: readonly string[] = []): Promise<void> {
    const own = [`--data-dir=${this.directory}`, '--port=0', '--http-enabled=false']
    this.#process = new TestProcess('broker', [...own, ...this.#flags, ...flags], options)
    const listening = await this.#process.event('listening')
    this.#address = listening['address'] as RigAddress
  }

  get process(): TestProcess {
    if (this.#process === undefined) throw new Error('the broker was not started')
    return this.#process
  }

  get address(): RigAddress {
    if (this.#address === undefined) throw new Error('the broker was not started')
    return this.#address
  }

  get isRunning(): boolean {
    return this.#process?.isRunning ?? false
  }

  connect(options: WireOptions = {}): Promise<WireClient> {
    return WireClient.connect(this.address, options)
  }

  async stop(): Promise<Exit> {
    this.process.signal('SIGTERM')
    return this.process.exited
  }

  /** Ends it where it stands; safe if it was never started, or has ended. */
  async kill(): Promise<void> {
    await this.#process?.kill()
  }
}
