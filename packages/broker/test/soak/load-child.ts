// The load process as the soak sees it: orders go in, answers come out.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { LoadAnswer, LoadFigures, LoadOrder } from './load-message.ts'

/** Whatever runs this, the load process runs from its sources. */
const FROM_SOURCE = ['--import', 'tsx', '--conditions=@tq/source'] as const

export class LoadChild {
  readonly #child: ChildProcess

  /** @param entry The program that serves load when `MODE` is `load`. */
  constructor(entry: string) {
    const env = { ...process.env, MODE: 'load' }
    // A Ctrl-C of the terminal goes to all; the load must live until its parent has drained.
    const execArgv = [...FROM_SOURCE]
    this.#child = fork(entry, { stdio: 'inherit', env, execArgv, detached: true })
  }

  async order(order: LoadOrder): Promise<void> {
    const answer = await this.#ask(order)
    if (answer.kind !== 'ready') throw new Error(`the load process answered ${answer.kind}`)
  }

  async figures(): Promise<LoadFigures> {
    const answer = await this.#ask({ kind: 'figures' })
    if (answer.kind !== 'figures') throw new Error(`the load process answered ${answer.kind}`)
    return answer.figures
  }

  /** Ends it where it stands. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async #ask(order: LoadOrder): Promise<LoadAnswer> {
    const over = new AbortController()
    const { signal } = over
    const reply = Promise.race([
      once(this.#child, 'message', { signal }),
      once(this.#child, 'exit', { signal }),
    ])
    this.#child.send(order)
    const [answer] = (await reply) as [LoadAnswer | number | null]
    over.abort()
    if (typeof answer !== 'object' || answer === null) throw new Error('the load process ended')
    if (answer.kind === 'failed') throw new Error(`the load process failed: ${answer.message}`)
    return answer
  }
}
