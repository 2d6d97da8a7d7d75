// A client process of the rig, started again whenever it ends, as a supervisor would.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientBundle } from './client-bundle.ts'
import type { ClientRole } from './client-role.ts'

export interface ClientSite {
  readonly bundle: ClientBundle
  /** Where the histories of this round lie. */
  readonly directory: string
  readonly address: string
  readonly queues: readonly string[]
  readonly ownQueue: string
  readonly tripWire: string
  readonly seed: number
  readonly tasksPerSecond: number
}

const alive = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** A client that does not end after SIGTERM is ended after so long, in ms. */
const STOP_MS = 8_000
const OUTPUT_MAX = 8_000

export class ClientProcess {
  readonly name: string
  readonly #part: ClientRole['part']
  readonly #site: ClientSite
  #child: ChildProcess | undefined
  #lives = 0
  #history = ''
  #isStopping = false
  #output = ''
  /** Ends that nobody asked for, with what was said. */
  readonly crashes: string[] = []

  constructor(part: ClientRole['part'], number: number, site: ClientSite) {
    this.name = `${part}-${number}`
    this.#part = part
    this.#site = site
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** It has begun to speak with the broker: there is something in its history. */
  get isAtWork(): boolean {
    const file = statSync(this.#history, { throwIfNoEntry: false })
    return this.isRunning && (file?.size ?? 0) > 0
  }

  start(): void {
    this.#lives += 1
    // Each life is a client of its own: a new session, a new history, other chances.
    const name = `${this.name}.${this.#lives}`
    const { bundle, directory, ...site } = this.#site
    this.#history = join(directory, `${name}.jsonl`)
    const role: ClientRole = {
      ...site,
      part: this.#part,
      name,
      history: this.#history,
      heartbeatTap: bundle.heartbeatTap,
      heartbeatHistory: join(directory, `${name}.heartbeats.jsonl`),
    }
    const child = spawn(process.execPath, [bundle.client, JSON.stringify(role)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    alive.add(child)
    child.stdin?.on('error', () => undefined)
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_MAX)
      })
    }
    child.once('close', (code, signal) => this.#mourn(child, code, signal))
  }

  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#child?.kill(signal)
  }

  /** It is time for an adversary's last word. */
  demand(): void {
    this.#child?.stdin?.write('now\n')
  }

  /** Lets it end in order, and does not start it again. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    if (alive.has(child)) await once(child, 'close')
    clearTimeout(timer)
  }

  #mourn(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    alive.delete(child)
    this.#child = undefined
    // SIGTERM ends it by itself only before it listens for it, in the middle of its start.
    const wasAsked = signal !== null ? ['SIGKILL', 'SIGTERM'].includes(signal) : code === 0
    if (!wasAsked) {
      this.crashes.push(`${this.name} ended by itself (${signal ?? code}):\n${this.#output}`)
    }
    if (!this.#isStopping) this.start()
  }
}
