// Stops a worker's own tasks when their leases may have ended: nobody else can tell it in time.

import type { Clock, Scheduler } from '@tq/core'
import type { LeaseTable } from './lease-table.ts'
import type { RunningTask } from './running-task.ts'
import { SweepTimer } from '../sweep-timer.ts'

/** Stop so long before the end of a lease, in ms, but not more than a tenth of it. */
const MARGIN_MS_MAX = 1_000

export interface FenceOptions {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly table: LeaseTable
  readonly leaseMs: number
}

export class LeaseFence {
  readonly #options: FenceOptions
  readonly #marginMs: number
  readonly #running: ReadonlySet<RunningTask>
  readonly #sweep: SweepTimer

  /** @param over Called for a task that must stop now. */
  constructor(
    options: FenceOptions,
    running: ReadonlySet<RunningTask>,
    over: (running: RunningTask) => void,
  ) {
    this.#options = options
    this.#marginMs = Math.min(MARGIN_MS_MAX, Math.floor(options.leaseMs / 10))
    this.#running = running
    this.#sweep = new SweepTimer(options, (nowMs) => this.#stopOverdue(nowMs, over))
  }

  /** Begins to watch over a task whose lease is new. */
  watch(running: RunningTask): void {
    this.#sweep.arm(this.#firstEndMs(running.grantedAtMs))
  }

  isOver(running: RunningTask): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    // Most tasks end within their first lease: then there is no need to look at the table.
    return nowMs >= this.#firstEndMs(running.grantedAtMs) && nowMs >= this.#endMs(running)
  }

  /** What is certainly left until the worker would stop the task, in ms; 0 if it is over. */
  remainingMs(running: RunningTask): number {
    return Math.max(0, this.#endMs(running) - this.#options.clock.monotonicMs())
  }

  /** The same for a lease that was granted at `grantedAtMs` and never renewed. */
  remainingOfNewMs(grantedAtMs: number): number {
    return Math.max(0, this.#firstEndMs(grantedAtMs) - this.#options.clock.monotonicMs())
  }

  stop(): void {
    this.#sweep.stop()
  }

  #endMs(running: RunningTask): number {
    const renewedAtMs = this.#options.table.renewedAtMs(running.lease)
    return this.#firstEndMs(Math.max(running.grantedAtMs, renewedAtMs))
  }

  #firstEndMs(fromMs: number): number {
    return fromMs + this.#options.leaseMs - this.#marginMs
  }

  #stopOverdue(nowMs: number, over: (running: RunningTask) => void): number {
    let nextAtMs = Infinity
    for (const running of this.#running) {
      if (running.stopCause !== undefined) continue
      const endMs = this.#endMs(running)
      if (endMs <= nowMs) over(running)
      else nextAtMs = Math.min(nextAtMs, endMs)
    }
    return nextAtMs
  }
}
