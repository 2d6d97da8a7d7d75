// What a worker tells about itself and its tasks, for logs and metrics.

import type { ReplyOf, TaskError, TqError } from '@tq/core'
import type { ClaimedTask } from '../claimed-task.ts'
import type { ClientEvent } from '../client-event.ts'
import type { StopCause } from './task-stopped-error.ts'

/** How a failed task goes on: the state it went to, and for `retrying` in how many ms. */
export type FailOutcome = NonNullable<ReplyOf<'fail'>['outcomes'][number]>

export type WorkerEvent =
  | ClientEvent
  | { readonly kind: 'registered' }
  | { readonly kind: 'register-refused'; readonly error: TqError }
  | { readonly kind: 'task-started'; readonly task: ClaimedTask }
  /** The broker has the result on stable storage. */
  | { readonly kind: 'task-completed'; readonly task: ClaimedTask; readonly ms: number }
  | {
      readonly kind: 'task-failed'
      readonly task: ClaimedTask
      readonly ms: number
      readonly error: TaskError
      readonly outcome: FailOutcome | undefined
    }
  | { readonly kind: 'task-released'; readonly task: ClaimedTask }
  /** The handler's signal was aborted. */
  | { readonly kind: 'task-stopped'; readonly task: ClaimedTask; readonly cause: StopCause }
  /** What the worker reported about the task was refused; the broker's view of it holds. */
  | {
      readonly kind: 'report-refused'
      readonly task: ClaimedTask
      readonly report: 'complete' | 'fail' | 'release'
      readonly error: TqError
    }
  | { readonly kind: 'claim-refused'; readonly error: TqError }
  | { readonly kind: 'heartbeat-failed'; readonly error: TqError }
  | { readonly kind: 'draining'; readonly running: number }
  | { readonly kind: 'stopped' }
