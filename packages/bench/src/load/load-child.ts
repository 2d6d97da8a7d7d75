// A load process as the bench sees it: orders go in, answers come out.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Done, LoadAnswer, LoadOrder, Numbered } from './load-message.ts'

const ENTRY = fileURLToPath(new URL('./load-process.js', import.meta.url))

export class LoadChild {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: LoadAnswer) => void>()
  #orders = 0
  #hasEnded = false

  constructor() {
    this.#child = fork(ENTRY, { stdio: 'inherit' })
    this.#child.on('message', ({ number, message }: Numbered<LoadAnswer>) => {
      this.#waiting.get(number)?.(message)
      this.#waiting.delete(number)
    })
    this.#child.once('exit', () => {
      this.#hasEnded = true
      for (const answer of this.#waiting.values()) {
        answer({ kind: 'failed', message: 'it has ended' })
      }
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Gives an order that is answered when its load is over. */
  async run(order: LoadOrder): Promise<Done> {
    const answer = await this.order(order)
    if (answer.kind !== 'done') throw new Error(`${answer.kind} answers ${order.kind}`)
    return answer.done
  }

  /** @throws Error with what the load process says, if it fails. */
  async order(order: LoadOrder): Promise<LoadAnswer> {
    if (this.#hasEnded) throw new Error('the load process has ended')
    this.#orders += 1
    const number = this.#orders
    const answer = await new Promise<LoadAnswer>((resolve) => {
      this.#waiting.set(number, resolve)
      this.#child.send({ number, message: order } satisfies Numbered<LoadOrder>)
    })
    if (answer.kind === 'failed') throw new Error(`the load process failed: ${answer.message}`)
    return answer
  }

  async stop(): Promise<void> {
    if (this.#hasEnded) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await gone
  }
}
