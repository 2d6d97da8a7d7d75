// The broker and the workers of the demonstration: real processes, killed and started again.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))
const BROKER = join(PACKAGES, 'broker/dist/main.js')
const WORKER = join(PACKAGES, 'worker/dist/main.js')
const HANDLERS = fileURLToPath(new URL('./handlers.js', import.meta.url))

export interface Fleet {
  readonly directory: string
  readonly port: number
  readonly queue: string
  readonly leaseMs: number
}

export class Processes {
  readonly #fleet: Fleet
  readonly #running = new Map<string, ChildProcess>()

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  startBroker(): void {
    const { directory, port, leaseMs } = this.#fleet
    this.#start('broker', [
      BROKER,
      `--data-dir=${join(directory, 'data')}`,
      `--port=${port}`,
      '--http-enabled=false',
      `--workers-heartbeat-ms=${Math.floor(leaseMs / 4)}`,
      `--workers-dead-ms=${leaseMs}`,
    ])
  }

  startWorker(name: string): void {
    const { port, queue, leaseMs } = this.#fleet
    this.#start(name, [
      WORKER,
      `--module=${HANDLERS}`,
      `--queues=${queue}`,
      `--address=127.0.0.1:${port}`,
      `--name=${name}`,
      '--concurrency=4',
      `--lease-ms=${leaseMs}`,
    ])
  }

  /** SIGKILL: no chance to say goodbye. Resolves when the process is gone. */
  async kill(name: string): Promise<number> {
    const child = this.#running.get(name)
    if (child?.pid === undefined) throw new Error(`${name} does not run`)
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    this.#running.delete(name)
    return child.pid
  }

  /** Ends all that still runs. */
  async stopAll(): Promise<void> {
    const ends = [...this.#running.values()].map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 3_000)
      await gone
      clearTimeout(timer)
    })
    await Promise.all(ends)
    this.#running.clear()
  }

  #start(name: string, argv: readonly string[]): void {
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(join(this.#fleet.directory, `${name}.log`), { flags: 'a' })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    this.#running.set(name, child)
  }
}

/** A TCP port on loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}
