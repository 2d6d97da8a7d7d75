// Why a handler's signal is aborted.

import type { StopReason } from '@tq/core'

/**
 * `cancelled`: a person asked for it. `timed_out`: longer than its execution timeout. `lost`,
 * `unknown`: the broker has given the task to somebody else, or does not know it. `lease-lost`: the
 * worker could not renew its lease in time. `shutdown`: the worker stops; the task is given back.
 */
export type StopCause = StopReason | 'lease-lost' | 'shutdown'

/** The reason of an aborted handler's signal. */
export class TaskStoppedError extends Error {
  override readonly name = 'TaskStoppedError'
  readonly reason: StopCause

  constructor(taskId: string, reason: StopCause) {
    super(`task ${taskId} has to stop: ${reason}`)
    this.reason = reason
  }
}
