// A real process of a built program, with what it says; it never outlives its test.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProcessOptions {
  /** A script to run instead of the program. */
  readonly script?: string
  /** Largest file that it may write, in blocks of 512 bytes; beyond it every write fails. */
  readonly fileBlocksMax?: number
  /** Beside the environment of the test runner. */
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs the process inside of something, such as `ip netns exec name`. */
  readonly inside?: readonly string[]
}

const PACKAGES = new URL('../../../', import.meta.url)
/** What still runs, so that nothing is left even if the test runner is stopped in the middle. */
const alive = new Set<ChildProcess>()

process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

export class TestProcess {
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #output = ''
  #watchers: (() => void)[] = []

  /** @param program Such as `broker`: the package whose `dist/main.js` is run. */
  constructor(program: string, args: readonly string[], options: ProcessOptions = {}) {
    const entry = options.script ?? fileURLToPath(new URL(`${program}/dist/main.js`, PACKAGES))
    if (!existsSync(entry)) throw new Error(`${entry} is missing; build first: tsc -b packages`)
    const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe']
    const command = [process.execPath, entry, ...args]
    const limit = options.fileBlocksMax
    const limited = limit === undefined ? [] : ['sh', '-c', `ulimit -f ${limit}; exec "$@"`, 'sh']
    const [file = '', ...rest] = [...(options.inside ?? []), ...limited, ...command]
    const child = spawn(file, rest, { stdio, env: { ...process.env, ...options.env } })
    this.#child = child
    alive.add(child)
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
    }
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject)
      // `close` comes after the last output, `exit` may come before it.
      child.once('close', (code, signal) => {
        alive.delete(child)
        resolve({ code, signal })
        this.#hear('')
      })
    })
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the process was not started')
    return this.#child.pid
  }

  /** Everything it wrote to standard output and standard error. */
  get output(): string {
    return this.#output
  }

  get isRunning(): boolean {
    return alive.has(this.#child)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it where it stands. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }

  /** The first line of JSON in its output with this `event`. */
  async event(name: string): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      for (const line of this.#output.split('\n')) {
        if (!line.includes(`"event":"${name}"`)) continue
        return JSON.parse(line) as Record<string, unknown>
      }
      if (!this.isRunning) throw new Error(`ended without "${name}", saying:\n${this.#output}`)
      await new Promise<void>((resolve) => this.#watchers.push(resolve))
    }
  }

  #hear(text: string): void {
    this.#output += text
    for (const wake of this.#watchers.splice(0)) wake()
  }
}
