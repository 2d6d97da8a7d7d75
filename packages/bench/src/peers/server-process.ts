// A server under comparison: a child process with a directory and a port of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { processTree, treeCpuUs } from './process-tree.ts'

export interface ServerPlan {
  readonly command: string
  readonly argv: (place: ServerPlace) => readonly string[]
  readonly env?: (place: ServerPlace) => Readonly<Record<string, string>>
  /** A process that the server needs beside it; started first, on a port of its own. */
  readonly companion?: {
    readonly command: string
    readonly argv: (place: ServerPlace) => readonly string[]
  }
}

export interface ServerPlace {
  readonly directory: string
  readonly port: number
  /** Two more free ports, for servers that need them. */
  readonly morePorts: readonly [number, number]
}

/** Until a server has to listen, in ms; the slowest peer takes five seconds on a quiet machine. */
const LISTEN_MS = 120_000
const LISTEN_POLL_MS = 10
/** Until the last process of a killed server has to be gone, in ms. */
const GONE_MS = 10_000
/** What an error quotes of the server's own output, in characters. */
const LOG_TAIL = 2_000

export class ServerProcess {
  readonly port: number
  readonly #directory: string
  readonly #children: readonly ChildProcess[]

  /** Starts it; resolves when it listens. */
  static async start(plan: ServerPlan): Promise<ServerProcess> {
    const [port, ...morePorts] = await freePorts()
    const place = { directory: mkdtempSync(join(tmpdir(), 'tq-peer-')), port, morePorts }
    const children: ChildProcess[] = []
    const server = new ServerProcess(place, children)
    try {
      const env = { ...process.env, ...plan.env?.(place) }
      const { companion } = plan
      if (companion !== undefined) {
        children.push(launch(companion.command, companion.argv(place), { place, env }))
        await listening(place.morePorts[0], children)
      }
      children.push(launch(plan.command, plan.argv(place), { place, env }))
      await listening(port, children)
      return server
    } catch (error) {
      const tail = readFileSync(logOf(place), 'utf8').slice(-LOG_TAIL)
      await server.kill()
      throw new Error(`${plan.command} did not start; its last output: ${tail}`, { cause: error })
    }
  }

  private constructor(place: ServerPlace, children: readonly ChildProcess[]) {
    this.port = place.port
    this.#directory = place.directory
    this.#children = children
  }

  /** CPU time of all its processes so far, in µs; in steps of 10 ms. */
  cpuUs(): number {
    return this.#pids().reduce((sum, pid) => sum + treeCpuUs(pid), 0)
  }

  /** Ends it and all that it started, each by its pid, and removes its directory. */
  async kill(): Promise<void> {
    const pids = this.#pids().flatMap((pid) => [...processTree(pid)])
    for (const pid of pids) signal(pid, 'SIGKILL')
    const untilMs = performance.now() + GONE_MS
    while (pids.some((pid) => isAlive(pid)) && performance.now() < untilMs) {
      await delay(LISTEN_POLL_MS)
    }
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 })
  }

  #pids(): readonly number[] {
    return this.#children.flatMap((child) => {
      const isGone = child.pid === undefined || child.exitCode !== null || child.signalCode !== null
      return isGone ? [] : [child.pid as number]
    })
  }
}

function launch(
  command: string,
  argv: readonly string[],
  at: { readonly place: ServerPlace; readonly env: NodeJS.ProcessEnv },
): ChildProcess {
  const log = openSync(logOf(at.place), 'a')
  const { env } = at
  const child = spawn(command, argv, {
    cwd: at.place.directory,
    env,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.on('error', () => {}) // it never gets a pid: `listening` sees that
  return child
}

function logOf(place: ServerPlace): string {
  return join(place.directory, 'server.log')
}

async function listening(port: number, children: readonly ChildProcess[]): Promise<void> {
  const untilMs = performance.now() + LISTEN_MS
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    const isGone = (child: ChildProcess): boolean => {
      return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
    }
    if (children.some(isGone)) throw new Error('it has ended')
    if (performance.now() > untilMs) {
      throw new Error(`port ${port} is not open after ${LISTEN_MS} ms`)
    }
    await delay(LISTEN_POLL_MS)
  }
}

/** Three at once: asked for one after the other, the kernel may give the same port twice. */
async function freePorts(): Promise<[number, number, number]> {
  const servers = [createServer(), createServer(), createServer()] as const
  const port = async (server: (typeof servers)[number]): Promise<number> => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port was given')
    return address.port
  }
  const [first, second, third] = servers
  const ports: [number, number, number] = [await port(first), await port(second), await port(third)]
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}

/** A zombie that nobody waits for has ended as well. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}
