// One task in a worker's hands: its lease, its signal, and why it has to stop if it has.

import { limits } from '@tq/core'
import type { ClaimedTask } from '../claimed-task.ts'
import { cutText } from './cut-text.ts'
import type { TaskContext } from './handler.ts'
import type { LeaseEntry } from './lease-table.ts'
import { type StopCause, TaskStoppedError } from './task-stopped-error.ts'

/** What a running task asks of its worker. */
export interface RunningTaskHost {
  leaseRemainingMs(running: RunningTask): number
  progressed(running: RunningTask): void
}

export interface ProgressNote {
  readonly percent: number | undefined
  readonly note: string | undefined
}

export class RunningTask implements TaskContext {
  readonly task: ClaimedTask
  readonly lease: LeaseEntry
  /** As if granted at this moment of the monotonic clock: it does not end sooner. */
  readonly grantedAtMs: number
  readonly startedAtMs: number
  readonly #host: RunningTaskHost
  #controller: AbortController | undefined
  #stopCause: StopCause | undefined
  #progress: ProgressNote | undefined

  constructor(
    host: RunningTaskHost,
    claimed: {
      readonly task: ClaimedTask
      readonly lease: LeaseEntry
      readonly grantedAtMs: number
    },
    startedAtMs: number,
  ) {
    this.#host = host
    this.task = claimed.task
    this.lease = claimed.lease
    this.grantedAtMs = claimed.grantedAtMs
    this.startedAtMs = startedAtMs
  }

  get taskId(): string {
    return this.task.id
  }

  get attempt(): number {
    return this.task.attempt
  }

  get token(): number {
    return this.task.token
  }

  get signal(): AbortSignal {
    // Made on demand: many handlers never look at it.
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#stopCause !== undefined) this.#controller.abort(this.#stoppedError(this.#stopCause))
    }
    return this.#controller.signal
  }

  get stopCause(): StopCause | undefined {
    return this.#stopCause
  }

  readonly progress = (percent?: number, note?: string): void => {
    // One bad value would have the frame with everybody's progress refused.
    const isPercent = percent !== undefined && !Number.isNaN(percent)
    this.#progress = {
      percent: isPercent ? Math.min(100, Math.max(0, percent)) : this.#progress?.percent,
      note:
        note === undefined
          ? this.#progress?.note
          : cutText(String(note), limits.PROGRESS_NOTE_BYTES_MAX),
    }
    this.#host.progressed(this)
  }

  readonly leaseRemainingMs = (): number => this.#host.leaseRemainingMs(this)

  /** What progress was told last. */
  get lastProgress(): ProgressNote {
    return this.#progress ?? { percent: undefined, note: undefined }
  }

  /** Aborts the handler's signal. False: it has been told to stop before. */
  stop(cause: StopCause): boolean {
    if (this.#stopCause !== undefined) return false
    this.#stopCause = cause
    this.#controller?.abort(this.#stoppedError(cause))
    return true
  }

  #stoppedError(cause: StopCause): TaskStoppedError {
    return new TaskStoppedError(this.task.id, cause)
  }
}
