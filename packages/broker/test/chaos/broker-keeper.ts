// The broker process of the rig and its supervisor: whatever happens to it, it is started again.

import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { RigBroker } from '../rig-broker.ts'

/** Short rhythms, so that losses and zombies come within a second or two. */
const FLAGS = ['--workers-heartbeat-ms=300', '--workers-dead-ms=2000', '--timeouts-drain-ms=500']
/** Where nothing listens: the port of a broker that has ended may be somebody else's soon. */
const NOWHERE = { host: '127.0.0.1', port: 1 }

export class BrokerKeeper {
  readonly #broker: RigBroker
  #isUp = false
  #upSinceMs = 0
  #isStopping = false
  #wasAsked = false
  #isAimedAt = false
  #epoch = 0
  #running: Promise<void> = Promise.resolve()
  startCount = 0
  /** SIGKILLs that it got while it ran. */
  killCount = 0
  /** Ends that nobody asked for, with what was said, and epochs that do not grow. */
  readonly faults: string[] = []

  constructor(directory: string) {
    this.#broker = new RigBroker(directory, FLAGS)
    // All that the broker says passes through proxies of this process.
    subscribe('net.client.socket', (message) => {
      const { socket } = message as { readonly socket: Socket }
      socket.on('data', () => this.#heard())
    })
  }

  get directory(): string {
    return this.#broker.directory
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#isUp ? this.#broker.address : NOWHERE
  }

  /** How long it has been taking requests, in ms; 0 while it does not. */
  get upMs(): number {
    return this.#isUp ? performance.now() - this.#upSinceMs : 0
  }

  /** It ended by itself, and was not started again. */
  get hasEnded(): boolean {
    return this.faults.length > 0 && !this.#broker.isRunning
  }

  /** Starts it, and keeps it running until `stop`. */
  start(): void {
    this.#isStopping = false
    this.#running = this.#keep()
  }

  kill(): void {
    if (this.#broker.isRunning) this.killCount += 1
    this.#isAimedAt = false
    this.#end('SIGKILL')
  }

  /** Kills it in the moment in which it says the next thing: that had better be durable. */
  killAtNextAnswer(): void {
    this.#isAimedAt = true
  }

  terminate(): void {
    this.#end('SIGTERM')
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#broker.isRunning) this.#broker.process.signal(signal)
  }

  /** Ends it in order, and for good. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.signal('SIGCONT')
    this.terminate()
    await this.#running
  }

  /** I4: each start counts, and the count is stored before anybody is let in. */
  async #checkEpoch(): Promise<void> {
    const { epoch } = await this.#broker.process.event('started')
    if (typeof epoch !== 'number' || epoch <= this.#epoch) {
      this.faults.push(`I4: epoch ${String(epoch)} comes after epoch ${this.#epoch}`)
    }
    this.#epoch = Number(epoch)
  }

  #beUp(): void {
    if (this.#wasAsked) return
    this.#isUp = true
    this.#upSinceMs = performance.now()
  }

  #heard(): void {
    if (!this.#isAimedAt) return
    this.#isAimedAt = false
    this.kill()
  }

  #end(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#isUp = false
    this.#wasAsked = true
    if (this.#broker.isRunning) this.#broker.process.signal(signal)
  }

  async #keep(): Promise<void> {
    while (!this.#isStopping) {
      this.#wasAsked = false
      this.startCount += 1
      const started = this.#broker.start()
      const { exited } = this.#broker.process
      await started.then(() => this.#beUp()).catch(() => undefined)
      if (this.#isUp) await this.#checkEpoch()
      const { code, signal } = await exited
      this.#isUp = false
      if (this.#wasAsked) continue
      const end = `the broker ended by itself (${signal ?? code})`
      this.faults.push(`${end}:\n${this.#broker.process.output.slice(-4_000)}`)
      return
    }
  }
}
