// The tasks in a worker's hands: takes what was claimed, runs it, stops it, hands in the reports.

import { limits, type ReplyOf, type StopOrder } from '@tq/core'
import { ClaimedTask } from '../claimed-task.ts'
import type { Handlers } from './handler.ts'
import { LeaseFence } from './lease-fence.ts'
import { LeaseTable } from './lease-table.ts'
import { Reporter } from './reporter.ts'
import { type Report, runTask, type TaskRoad } from './run-task.ts'
import { RunningTask, type RunningTaskHost } from './running-task.ts'
import type { Session } from '../session.ts'
import type { StopCause } from './task-stopped-error.ts'
import type { WorkerEvent } from './worker-event.ts'

export interface WorkbenchOptions {
  readonly handlers: Handlers
  readonly concurrency: number
  readonly leaseMs: number
  readonly emit: (event: WorkerEvent) => void
  /** A task left its slot. */
  readonly slotFreed: () => void
  /** New leases have so little time left that they should be renewed at once. */
  readonly renewSoon: () => void
}

/** Leases beside those of the slots: of tasks that ended and wait for their acknowledgement. */
const SPARE_LEASES_MIN = 64

export class Workbench implements TaskRoad, RunningTaskHost {
  readonly handlers: Handlers
  readonly table: LeaseTable
  readonly #session: Session
  readonly #options: WorkbenchOptions
  readonly #running = new Set<RunningTask>()
  readonly #fence: LeaseFence
  readonly #reporter: Reporter
  #isClosed = false

  constructor(session: Session, options: WorkbenchOptions) {
    this.handlers = options.handlers
    this.#session = session
    this.#options = options
    const spare = Math.max(SPARE_LEASES_MIN, options.concurrency)
    const capacity = Math.min(limits.HEARTBEAT_LEASES_MAX, options.concurrency + spare)
    this.table = new LeaseTable(capacity)
    const { clock, scheduler } = session.settings
    const fence = { clock, scheduler, table: this.table, leaseMs: options.leaseMs }
    this.#fence = new LeaseFence(fence, this.#running, (running) =>
      this.#stop(running, 'lease-lost'),
    )
    this.#reporter = new Reporter(session, { table: this.table, emit: options.emit })
  }

  get runningCount(): number {
    return this.#running.size
  }

  /** Slots that have no task. Fewer while many acknowledgements are on their way. */
  get freeSlots(): number {
    return Math.min(this.#options.concurrency - this.#running.size, this.table.freeCount)
  }

  /** @param grantedAtMs As if granted at this moment of the monotonic clock: none ends sooner. */
  take(tasks: ReplyOf<'claim'>['tasks'], grantedAtMs: number): void {
    const remainingMs = this.#fence.remainingOfNewMs(grantedAtMs)
    for (const wire of tasks) {
      const task = new ClaimedTask(wire)
      const lease = this.table.add(task.idBytes, task.token)
      const startedAtMs = this.#session.settings.clock.monotonicMs()
      const running = new RunningTask(this, { task, lease, grantedAtMs }, startedAtMs)
      // A thread that was busy for so long that the lease may be over, a task that is cancelled,
      // a worker that stops: give it back rather than begin.
      const isTooLate = this.#isClosed || remainingMs === 0 || task.cancelRequested
      if (isTooLate) this.#reporter.add(running, { kind: 'release' })
      else this.#begin(running)
    }
    if (remainingMs < (this.#options.leaseMs * 2) / 3) this.#options.renewSoon()
  }

  /** Orders from the broker to stop tasks that are, or were, in these hands. */
  obey(orders: readonly StopOrder[]): void {
    for (const [id, token, reason] of orders) {
      for (const running of this.#running) {
        const { task } = running
        if (task.token !== token || Buffer.compare(task.idBytes, id) !== 0) continue
        this.#stop(running, reason)
      }
    }
  }

  /** From now on claimed tasks are given back without being run. */
  close(): void {
    this.#isClosed = true
  }

  stopAll(cause: StopCause): void {
    for (const running of this.#running) this.#stop(running, cause)
  }

  /** Gives back what still runs, and waits until the broker has heard of everything. */
  async clear(): Promise<void> {
    for (const running of this.#running) this.report(running, { kind: 'release' })
    await this.#reporter.untilIdle()
  }

  stopWatching(): void {
    this.#fence.stop()
  }

  isLeaseOver(running: RunningTask): boolean {
    return this.#fence.isOver(running)
  }

  leaseRemainingMs(running: RunningTask): number {
    return this.#fence.remainingMs(running)
  }

  progressed(running: RunningTask): void {
    if (this.#running.has(running)) this.#reporter.progressed(running)
  }

  report(running: RunningTask, report: Report): void {
    if (!this.#running.delete(running)) return // given back while its handler would not end
    this.#reporter.add(running, report)
    this.#options.slotFreed()
  }

  #begin(running: RunningTask): void {
    this.#running.add(running)
    this.#fence.watch(running)
    this.#options.emit({ kind: 'task-started', task: running.task })
    void runTask(this, running) // never rejects; ends in `report`
  }

  #stop(running: RunningTask, cause: StopCause): void {
    if (!running.stop(cause)) return
    this.#options.emit({ kind: 'task-stopped', task: running.task, cause })
    // A lease that is gone must not be named any more, even while its handler goes on; one whose
    // task is cancelled or given back is still held until the broker has heard of it.
    if (cause !== 'cancelled' && cause !== 'shutdown') this.table.remove(running.lease)
  }
}
