// The working half of a load process: several workers, and the ledger of what they have seen.

import { type LoadAnswer, monotonicMs, type TaskRange } from './load-message.ts'
import type { Peer, PeerWorker } from './peer.ts'
import { type LedgerVerdict, TaskLedger } from './task-ledger.ts'

/** When no task has come for so long, in ms, those that are missing count as lost. */
const STILL_MS = 20_000
const WATCH_MS = 100

export class Workforce {
  readonly #ledger: TaskLedger
  readonly #expected: number
  readonly #stillMs: number
  #workers: readonly PeerWorker[] = []
  #ended = 0
  #firstMs: number | undefined
  #lastMs = monotonicMs()
  #cpu = process.cpuUsage()
  #error: Error | undefined
  #watch: { readonly timer: NodeJS.Timeout; readonly look: () => void } | undefined
  /** Told of each start and each end, for those who wait for a certain one. */
  onTask: () => void = () => {}
  onEnd: () => void = () => {}

  constructor(tasks: TaskRange, stillMs: number = STILL_MS) {
    this.#stillMs = stillMs
    this.#ledger = new TaskLedger(tasks.first, tasks.count)
    this.#expected = tasks.count
  }

  /** Resolves when all of them claim. */
  async open(
    at: { readonly peer: Peer; readonly port: number },
    size: { readonly connections: number; readonly slots: number },
  ): Promise<void> {
    const shift = {
      slots: size.slots,
      onTask: (number: number) => this.#noteTask(number),
      onEnd: () => this.#noteEnd(),
      onError: (error: Error) => (this.#error ??= error),
    }
    const connecting = Array.from({ length: size.connections }, () => {
      return at.peer.connectWorker(at.port, shift)
    })
    this.#workers = await Promise.all(connecting)
    await Promise.all(this.#workers.map((worker) => worker.begin()))
  }

  /** Resolves when all tasks have ended, or when nothing more comes. */
  async finish(): Promise<LoadAnswer> {
    await this.#allEnded()
    const settling = this.#workers.flatMap((worker) => worker.settle?.() ?? [])
    await Promise.all(settling)
    // Where acknowledgements have no answer, the last one is known to be taken only now.
    const toMs = settling.length > 0 ? monotonicMs() : this.#lastMs
    const { user, system } = process.cpuUsage(this.#cpu)
    const span = { fromMs: this.#firstMs ?? toMs, toMs }
    return { kind: 'worked', span, cpuUs: user + system, verdict: this.verdict() }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()))
  }

  verdict(): LedgerVerdict {
    return this.#ledger.verdict()
  }

  #noteTask(number: number): void {
    this.#lastMs = monotonicMs()
    if (this.#firstMs === undefined) {
      this.#firstMs = this.#lastMs
      this.#cpu = process.cpuUsage() // what connecting took is no task's cost
    }
    this.#ledger.note(number)
    this.onTask()
  }

  #noteEnd(): void {
    this.#ended += 1
    this.onEnd()
    if (this.#ended < this.#expected) return
    this.#lastMs = monotonicMs()
    this.#watch?.look()
  }

  async #allEnded(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        const look = (): void => {
          if (this.#error !== undefined) reject(this.#error)
          else if (this.#ended >= this.#expected) resolve()
          else if (monotonicMs() - this.#lastMs > this.#stillMs) resolve()
        }
        this.#watch = { timer: setInterval(look, WATCH_MS), look }
        look()
      })
    } finally {
      clearInterval(this.#watch?.timer)
    }
  }
}
