// Which function runs which type of task.

import { TqError } from '@tq/core'
import type { ClaimedTask } from '../claimed-task.ts'

/** What a handler may ask and tell while it runs. */
export interface TaskContext {
  readonly taskId: string
  readonly attempt: number
  /** Pass it on to whatever the task changes, so that an older attempt can be told apart. */
  readonly token: number
  /** Aborted with a `TaskStoppedError` when the task has to stop; its result is then not used. */
  readonly signal: AbortSignal
  /** Tells how far the task is: 0 to 100, with a short note. Sent at the end of the turn. */
  progress(percent?: number, note?: string): void
  /** What is certainly left of the lease; heartbeats renew it by themselves. */
  leaseRemainingMs(): number
}

/** Runs a task; what it returns (or resolves to) is the result, what it throws the failure. */
export type Handler = (task: ClaimedTask, context: TaskContext) => unknown

/** Handles every type that has no handler of its own. */
const ANY_TYPE = '*'

export class Handlers {
  readonly #byType = new Map<string, Handler>()

  get types(): readonly string[] {
    return [...this.#byType.keys()]
  }

  add(type: string, handler: Handler): void {
    if (this.#byType.has(type)) {
      throw new TqError('CONFLICT', `type "${type}" has a handler already`, { type })
    }
    this.#byType.set(type, handler)
  }

  for(type: string): Handler | undefined {
    return this.#byType.get(type) ?? this.#byType.get(ANY_TYPE)
  }
}
