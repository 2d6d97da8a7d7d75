// The broker under soak: a built one in a process of its own, with a probe beside it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** After a forced collection, in bytes. */
export interface CollectedMemory {
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
  readonly arrayBuffers: number
}

/** Since the memory was asked for. */
interface LoopDelays {
  readonly p999Ms: number
  readonly maxMs: number
}

export interface SoakedBrokerOptions {
  readonly directory: string
  readonly port: number
  readonly flags: readonly string[]
}

const PROBE = fileURLToPath(new URL('./probe.mjs', import.meta.url))
const STOP_MS = 30_000

export class SoakedBroker {
  readonly directory: string
  readonly #entry: string
  /** The same over restarts. */
  readonly port: number
  readonly #flags: readonly string[]
  #child: ChildProcess | undefined
  #httpPort = 0

  /** @param packages Directory of the built packages; `broker/dist/main.js` lies below it. */
  constructor(packages: string, options: SoakedBrokerOptions) {
    this.#entry = join(packages, 'broker/dist/main.js')
    this.directory = options.directory
    this.port = options.port
    this.#flags = options.flags
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, this.#argv(), {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      // A Ctrl-C of the terminal goes to all; the broker must live until its load has drained.
      detached: true,
    })
    this.#child = child
    if (child.stdout === null) throw new Error('the broker has no standard output')
    const lines = createInterface({ input: child.stdout })
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the broker ended with ${code}`)))
      lines.on('line', (line) => {
        const entry = JSON.parse(line) as Record<string, unknown>
        if (entry['event'] !== 'listening') return this.#show(entry, line)
        this.#httpPort = (entry['http'] as { port: number }).port
        resolve()
      })
    })
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('the broker was not started')
    return pid
  }

  /** Undefined while it runs. */
  get exitCode(): number | null | undefined {
    const child = this.#child
    if (child === undefined) return null
    return child.exitCode === null && child.signalCode === null ? undefined : child.exitCode
  }

  loopDelays(): Promise<LoopDelays> {
    return this.#ask<LoopDelays>('loop')
  }

  collectedMemory(): Promise<CollectedMemory> {
    return this.#ask<CollectedMemory>('memory')
  }

  async metrics(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#httpPort}/metrics`)
    if (!response.ok) throw new Error(`/metrics answered ${response.status}`)
    return response.text()
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || this.exitCode !== undefined) return
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const hard = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await gone
    clearTimeout(hard)
  }

  #argv(): readonly string[] {
    return [
      '--expose-gc',
      `--import=${PROBE}`,
      this.#entry,
      `--data-dir=${this.directory}`,
      `--port=${this.port}`,
      '--http-port=0',
      ...this.#flags,
    ]
  }

  async #ask<Answer extends object>(question: 'loop' | 'memory'): Promise<Answer> {
    const child = this.#child
    if (child === undefined || this.exitCode !== undefined) throw new Error('the broker is gone')
    const over = new AbortController()
    const { signal } = over
    const answer = Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }),
    ])
    child.send(question)
    const [message] = (await answer) as [Answer | number | null]
    over.abort()
    if (typeof message === 'object' && message !== null) return message
    throw new Error('the broker ended while it was measured')
  }

  /** What it warns of belongs beside the figures. */
  #show(entry: Readonly<Record<string, unknown>>, line: string): void {
    const level = entry['level']
    const isQuiet = level === 'info' || level === 30
    if (!isQuiet) process.stderr.write(`${line}\n`)
  }
}

/** Free a moment ago: what takes it next is the broker. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}
