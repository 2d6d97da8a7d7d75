// A load process as the bench sees it: orders go in, answers come out.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LoadAnswer, LoadOrder } from './load-message.ts'

const ENTRY = fileURLToPath(new URL('./load-process.js', import.meta.url))

export class LoadChild {
  readonly #child: ChildProcess

  constructor() {
    this.#child = fork(ENTRY, { stdio: 'inherit' })
  }

  async order<K extends LoadAnswer['kind']>(
    order: LoadOrder,
    expected: K,
  ): Promise<Extract<LoadAnswer, { kind: K }>> {
    const answered = once(this.#child, 'message')
    this.#child.send(order)
    const [answer] = (await answered) as [LoadAnswer]
    if (answer.kind === 'failed') throw new Error(`the load process failed: ${answer.message}`)
    if (answer.kind !== expected) throw new Error(`${answer.kind} came instead of ${expected}`)
    return answer as Extract<LoadAnswer, { kind: K }>
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await gone
  }
}
