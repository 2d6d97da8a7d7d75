// How an attempt ends badly: retried, dead or cancelled. One place for failures, timeouts and losses.

import { isRetryable, retryDelayMs, type Reason, type TaskError, type TaskState } from '@tq/core'
import type { Turn } from './decision.ts'
import { attemptRecordOf } from './held.ts'
import type { Row } from './rows.ts'
import { FLAG_CANCEL_REQUESTED } from './task-table.ts'

export interface FailedAttempt {
  readonly reason: 'failed' | 'timed_out'
  readonly error: TaskError
  readonly retryable: boolean
  /** Wins over the policy's delay, in ms. */
  readonly retryAfterMs: number | undefined
  /** A random number in [0, 1). */
  readonly chance: number
}

/** Ends a held task's attempt as a failure. Tells what became of the task, and in how many ms. */
export function failAttempt(
  turn: Turn,
  task: Row,
  failed: FailedAttempt,
): readonly [state: TaskState, delayMs: number] {
  const { state } = turn
  if (endIfCancelled(turn, task, 'failure')) return ['cancelled', 0]
  const profile = state.profileOf(task)
  const failures = state.tasks.failures(task) + 1
  const mayRetry = failed.retryable && isRetryable(profile.retry, failed.error.type)
  const reason = !mayRetry
    ? 'not_retryable'
    : failures >= profile.maxAttempts
      ? 'attempts_exhausted'
      : undefined
  if (reason !== undefined) {
    endDead(turn, task, { reason, counts: 'failure', error: failed.error })
    return ['dead', 0]
  }
  const delayMs = failed.retryAfterMs ?? retryDelayMs(profile.retry, failures, failed.chance)
  turn.emit({
    kind: 'task-retried',
    task,
    reason: failed.reason,
    error: failed.error,
    dueTickMs: turn.tickMs + delayMs,
    attempt: attemptRecordOf(state, task, state.tasks.lease(task)),
    atMs: turn.wallMs,
    actor: turn.actor,
  })
  return ['retrying', delayMs]
}

/** Ends a held task's attempt because its worker is gone. */
export function loseAttempt(
  turn: Turn,
  task: Row,
  reason: 'lease_expired' | 'worker_lost',
): TaskState {
  const { state } = turn
  if (endIfCancelled(turn, task, 'loss')) return 'cancelled'
  if (state.tasks.losses(task) + 1 >= state.profileOf(task).maxLost) {
    const error = { message: `its worker was lost (${reason})`, type: 'WorkerLost' }
    endDead(turn, task, { reason: 'losses_exhausted', counts: 'loss', error })
    return 'dead'
  }
  release(turn, task, { reason, lost: true })
  return 'queued'
}

/** Gives a held task back unharmed, or ends it if somebody asked to cancel it. */
export function giveBack(turn: Turn, task: Row, reason: 'released' | 'reply_lost'): TaskState {
  if (endIfCancelled(turn, task, 'nothing')) return 'cancelled'
  release(turn, task, { reason, lost: false })
  return 'queued'
}

export function endDead(
  turn: Turn,
  task: Row,
  end: {
    readonly reason: Reason
    readonly counts: 'failure' | 'loss' | 'nothing'
    readonly error: TaskError
  },
): void {
  turn.emit({
    kind: 'task-ended',
    task,
    state: 'dead',
    reason: end.reason,
    result: undefined,
    error: end.error,
    note: undefined,
    attempt: attemptRecordOf(turn.state, task, turn.state.tasks.lease(task)),
    counts: end.counts,
    atMs: turn.wallMs,
    actor: turn.actor,
  })
}

/** The end of a lease is what a requested cancel waits for, however the attempt itself went. */
export function endIfCancelled(
  turn: Turn,
  task: Row,
  counts: 'failure' | 'loss' | 'nothing',
): boolean {
  const { state } = turn
  if (!state.tasks.hasFlag(task, FLAG_CANCEL_REQUESTED)) return false
  turn.emit({
    kind: 'task-ended',
    task,
    state: 'cancelled',
    reason: 'cancelled',
    result: undefined,
    error: undefined,
    note: state.cancelNotes.get(task),
    attempt: attemptRecordOf(state, task, state.tasks.lease(task)),
    counts,
    atMs: turn.wallMs,
    actor: turn.actor,
  })
  return true
}

function release(
  turn: Turn,
  task: Row,
  how: { readonly reason: Reason; readonly lost: boolean },
): void {
  turn.emit({
    kind: 'task-released',
    task,
    reason: how.reason,
    lost: how.lost,
    attempt: attemptRecordOf(turn.state, task, turn.state.tasks.lease(task)),
    atMs: turn.wallMs,
    actor: turn.actor,
  })
}
