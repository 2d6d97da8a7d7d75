// What waiting for a result rejects with when the task did not complete.

import type { Reason, TaskError, TerminalState } from '@tq/core'

/** The task ended as `dead`, `cancelled` or `expired`. */
export class TaskFailedError extends Error {
  override readonly name = 'TaskFailedError'
  readonly taskId: string
  readonly state: Exclude<TerminalState, 'completed'>
  readonly reason: Reason
  /** What the handler reported last, if the task failed. */
  readonly error: TaskError | undefined
  /** What the person said who cancelled it. */
  readonly note: string | undefined

  constructor(
    taskId: string,
    end: {
      readonly state: Exclude<TerminalState, 'completed'>
      readonly reason: Reason
      readonly error?: TaskError | undefined
      readonly note?: string | undefined
    },
  ) {
    const why = end.error?.message ?? end.note
    super(`task ${taskId} is ${end.state} (${end.reason})${why === undefined ? '' : `: ${why}`}`)
    this.taskId = taskId
    this.state = end.state
    this.reason = end.reason
    this.error = end.error
    this.note = end.note
  }
}
