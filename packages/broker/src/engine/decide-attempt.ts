// What the holder of a task may say of its attempt: start, progress, complete, fail, release.

import type { Completion, Failure, HeldTask, Progress, ReplyOf, TaskState } from '@tq/core'
import { chancesFrom } from './chance.ts'
import type { EndedTasks } from './command.ts'
import { judge, type Refusal, refuse, type Turn, type Verdict } from './decision.ts'
import { failAttempt, giveBack } from './end-attempt.ts'
import { attemptRecordOf, holdingOf } from './held.ts'
import { FLAG_CANCEL_REQUESTED } from './task-table.ts'

export function decideStart(
  turn: Turn,
  items: readonly HeldTask[],
  ended: EndedTasks,
): ReplyOf<'start'> {
  return judge(items, (item): Verdict => {
    const holding = holdingOf(turn, item, ended)
    if (holding.kind === 'refused') return holding.refusal
    if (holding.kind === 'ended') return refuse('INVALID_STATE', 'the task has ended')
    const { task } = holding
    const { state } = turn
    if (state.tasks.state(task) === 'running') return 'already'
    if (state.tasks.hasFlag(task, FLAG_CANCEL_REQUESTED)) return cancelWasRequested()
    const deadlineTickMs = turn.tickMs + state.tasks.timeoutMs(task)
    turn.emit({ kind: 'task-started', task, deadlineTickMs, atMs: turn.wallMs })
    return 'ok'
  })
}

export function decideProgress(turn: Turn, items: readonly Progress[]): ReplyOf<'progress'> {
  return judge(items, (item): Verdict => {
    const holding = holdingOf(turn, item, undefined)
    if (holding.kind === 'refused') return holding.refusal
    if (holding.kind === 'ended') return refuse('STALE_LEASE', 'the task has ended')
    const { percent, note } = item
    turn.emit({ kind: 'task-progressed', lease: holding.lease, percent, note })
    return 'ok'
  })
}

export function decideComplete(
  turn: Turn,
  items: readonly Completion[],
  ended: EndedTasks,
): ReplyOf<'complete'> {
  return judge(items, (item): Verdict => {
    const holding = holdingOf(turn, item, ended)
    if (holding.kind === 'refused') return holding.refusal
    if (holding.kind === 'ended') {
      return holding.end.state === 'completed' ? 'already' : endedOtherwise(holding.end.state)
    }
    const { task, lease } = holding
    if (turn.state.tasks.hasFlag(task, FLAG_CANCEL_REQUESTED)) return cancelWasRequested()
    turn.emit({
      kind: 'task-ended',
      task,
      state: 'completed',
      reason: 'completed',
      result: item.result,
      error: undefined,
      note: undefined,
      attempt: attemptRecordOf(turn.state, task, lease),
      counts: 'nothing',
      atMs: turn.wallMs,
      actor: turn.actor,
    })
    return 'ok'
  })
}

export function decideFail(
  turn: Turn,
  items: readonly Failure[],
  ended: EndedTasks,
): ReplyOf<'fail'> {
  const chances = chancesFrom(turn.chance)
  const outcomes: ([state: TaskState, delayMs: number] | null)[] = []
  const reply = judge(items, (item): Verdict => {
    const holding = holdingOf(turn, item, ended)
    if (holding.kind === 'held') {
      const [state, delayMs] = failAttempt(turn, holding.task, {
        reason: 'failed',
        error: item.error,
        retryable: item.retryable ?? true,
        retryAfterMs: item.retryAfterMs,
        chance: chances(),
      })
      outcomes.push([state, delayMs])
      return 'ok'
    }
    const wasFailure = holding.kind === 'ended' && holding.end.state !== 'completed'
    outcomes.push(wasFailure ? [holding.end.state, 0] : null)
    if (holding.kind === 'refused') return holding.refusal
    return wasFailure ? 'already' : endedOtherwise(holding.end.state)
  })
  return { ...reply, outcomes }
}

export function decideRelease(
  turn: Turn,
  items: readonly HeldTask[],
  ended: EndedTasks,
): ReplyOf<'release'> {
  return judge(items, (item): Verdict => {
    const holding = holdingOf(turn, item, ended)
    if (holding.kind === 'refused') return holding.refusal
    if (holding.kind === 'ended') {
      return holding.end.state === 'cancelled' ? 'already' : endedOtherwise(holding.end.state)
    }
    giveBack(turn, holding.task, 'released')
    return 'ok'
  })
}

function cancelWasRequested(): Refusal {
  return refuse(
    'INVALID_STATE',
    'somebody asked to cancel this task; confirm by releasing it, its result is not taken',
  )
}

function endedOtherwise(state: TaskState): Refusal {
  return refuse('INVALID_STATE', `the task has ended as ${state}`)
}
