// Counts what the load did and how long its answers took.

import { createHistogram } from 'node:perf_hooks'
import { TqError } from '@tq/client'
import type { LoadFigures } from './load-message.ts'

export class Tally {
  enqueued = 0
  completed = 0
  failed = 0
  cancelled = 0
  visits = 0
  readonly #refusals: Record<string, number> = {}
  /** In µs, as the histogram takes whole numbers only. */
  readonly #acks = createHistogram()

  answered(ms: number): void {
    this.#acks.record(Math.max(1, Math.round(ms * 1_000)))
  }

  refused(error: unknown): void {
    const code = error instanceof TqError ? error.code : String(error)
    if (this.#refusals[code] === undefined)
      process.stderr.write(`first refused: ${String(error)}\n`)
    this.#refusals[code] = (this.#refusals[code] ?? 0) + 1
  }

  /** Latencies are counted anew after this. */
  figures(): LoadFigures {
    const acks = this.#acks
    const isEmpty = acks.count === 0
    const { user, system } = process.cpuUsage()
    const figures = {
      enqueued: this.enqueued,
      completed: this.completed,
      failed: this.failed,
      cancelled: this.cancelled,
      visits: this.visits,
      refusals: { ...this.#refusals },
      ackP50Ms: isEmpty ? 0 : acks.percentile(50) / 1_000,
      ackP99Ms: isEmpty ? 0 : acks.percentile(99) / 1_000,
      ackMaxMs: isEmpty ? 0 : acks.max / 1_000,
      cpuSeconds: (user + system) / 1e6,
    }
    acks.reset()
    return figures
  }
}
