// A process of its own, run from a TypeScript file of test/children, that talks in messages.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface ChildOptions {
  readonly args: readonly string[]
  /** Largest file that it may write, in blocks of 512 bytes; beyond it every write fails. */
  readonly fileBlocksMax?: number
}

/** A script of test/children as one file that lasts as long as the test. */
export async function bundleChild(script: string): Promise<string> {
  const path = fileURLToPath(new URL(`children/${script}`, import.meta.url))
  return await bundle(path, await temporaryDirectory())
}

export class Child<Message> {
  readonly #process: ChildProcess
  readonly #gone: Promise<unknown>
  #isGone = false
  readonly #received: Message[] = []
  #wake: () => void = () => {}

  constructor(bundle: string, options: ChildOptions) {
    const command = [process.execPath, bundle, ...options.args]
    const limit = options.fileBlocksMax
    const [file = '', ...args] =
      limit === undefined
        ? command
        : ['sh', '-c', `ulimit -f ${limit}; exec "$@"`, 'sh', ...command]
    this.#process = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    // Its last messages may come after its end; the channel closes after them.
    this.#gone = Promise.all([once(this.#process, 'exit'), once(this.#process, 'disconnect')])
    void this.#gone.then(() => {
      this.#isGone = true
      this.#wake()
    })
    this.#process.on('message', (message) => {
      this.#received.push(message as Message)
      this.#wake()
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  send(message: object): void {
    this.#process.send(message)
  }

  /** The next message that nobody has taken. */
  async next(): Promise<Message> {
    for (;;) {
      const message = this.#received.shift()
      if (message !== undefined) return message
      if (this.#isGone) throw new Error('the child has ended')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** All messages that nobody has taken. */
  received(): readonly Message[] {
    return this.#received.splice(0)
  }

  /** Kills it where it stands; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#gone
  }
}
