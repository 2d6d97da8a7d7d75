// A load process as the comparison sees it: orders go in, answers come out.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LoadAnswer, LoadOrder } from './load-message.ts'

/** Built or from source, as this file is. */
const ENTRY = fileURLToPath(new URL(`./load-process${extname(import.meta.url)}`, import.meta.url))

export class LoadChild {
  readonly #child: ChildProcess
  readonly #gone: Promise<never>

  constructor() {
    // What they print must not stand between the lines of the result.
    this.#child = fork(ENTRY, { stdio: ['ignore', 2, 2, 'ipc'] })
    this.#gone = once(this.#child, 'exit').then(([code, signal]) => {
      throw new Error(`a load process has ended (${signal ?? `code ${code}`})`)
    })
    this.#gone.catch(() => {}) // whoever waits for an answer hears it
  }

  /** One order at a time. */
  async order<K extends LoadAnswer['kind']>(
    order: LoadOrder,
    expected: K,
  ): Promise<Extract<LoadAnswer, { kind: K }>> {
    const answered = once(this.#child, 'message') as Promise<[LoadAnswer]>
    this.#child.send(order)
    const [answer] = await Promise.race([answered, this.#gone])
    if (answer.kind === 'failed') throw new Error(`a load process failed: ${answer.message}`)
    if (answer.kind !== expected) throw new Error(`${answer.kind} came instead of ${expected}`)
    return answer as Extract<LoadAnswer, { kind: K }>
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}
