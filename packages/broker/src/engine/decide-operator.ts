// What a person may ask of a task: cancel, redrive, set-priority; and setting an unreadable one aside.

import {
  formatTaskId,
  type HeldTask,
  type ReplyOf,
  type RequestOf,
  type TaskIdBytes,
} from '@tq/core'
import { lackOfRoom } from './capacity.ts'
import type { EndedTasks } from './command.ts'
import { judge, type Refusal, refuse, type Turn, type Verdict } from './decision.ts'
import { endDead, endIfCancelled } from './end-attempt.ts'
import type { EndRecord } from './fact.ts'
import { hexOf, holdingOf } from './held.ts'
import { NO_ROW, type Row } from './rows.ts'
import { FLAG_CANCEL_REQUESTED } from './task-table.ts'

export function decideCancel(
  turn: Turn,
  request: RequestOf<'cancel'>,
  ended: EndedTasks,
): ReplyOf<'cancel'> {
  const outcomes: ('cancelled' | 'requested' | null)[] = []
  const reply = judge(request.ids, (id): Verdict => {
    const task = liveTask(turn, id)
    if (task === undefined) {
      const end = endOf(turn, id, ended)
      const isCancelled = end?.state === 'cancelled'
      outcomes.push(isCancelled ? 'cancelled' : null)
      if (end === undefined) return notFound(id)
      return isCancelled ? 'already' : endedAs(id, end)
    }
    const isHeld = turn.state.tasks.lease(task) !== NO_ROW
    outcomes.push(isHeld ? 'requested' : 'cancelled')
    if (isHeld && turn.state.tasks.hasFlag(task, FLAG_CANCEL_REQUESTED)) return 'already'
    if (isHeld) requestCancel(turn, task, request.reason)
    else endCancelled(turn, task, request.reason)
    return 'ok'
  })
  return { ...reply, outcomes }
}

export function decideRedrive(
  turn: Turn,
  request: RequestOf<'redrive'>,
  ended: EndedTasks,
): ReplyOf<'redrive'> {
  return judge(request.ids, (id): Verdict => {
    if (liveTask(turn, id) !== undefined) {
      return refuse('INVALID_STATE', `task ${formatTaskId(id)} has not ended`)
    }
    if (turn.state.index.find(id) !== undefined) {
      return refuse('UNAVAILABLE', `task ${formatTaskId(id)} is just ending; ask again`, {
        retryAfterMs: 50,
      })
    }
    const found = ended.get(hexOf(id))
    if (found === undefined) return notFound(id)
    if (found.end.state === 'completed') return endedAs(id, found.end)
    const lack = lackOfRoom(turn.state, found.profile.queue, 1)
    if (lack !== undefined) return lack
    turn.emit({ kind: 'task-redriven', ended: found, atMs: turn.wallMs, actor: turn.actor })
    return 'ok'
  })
}

export function decideSetPriority(
  turn: Turn,
  request: RequestOf<'set-priority'>,
  ended: EndedTasks,
): ReplyOf<'set-priority'> {
  const { priority } = request
  return judge(request.ids, (id): Verdict => {
    const task = liveTask(turn, id)
    if (task === undefined) {
      const end = endOf(turn, id, ended)
      return end === undefined ? notFound(id) : endedAs(id, end)
    }
    if (turn.state.tasks.priority(task) === priority) return 'already'
    const { wallMs: atMs, actor } = turn
    turn.emit({ kind: 'task-reprioritised', task, priority, atMs, actor })
    return 'ok'
  })
}

/** Tasks whose payload cannot be read are never delivered empty: they are dead, for a person. */
export function decideQuarantine(turn: Turn, items: readonly HeldTask[]): ReplyOf<'release'> {
  return judge(items, (item): Verdict => {
    const holding = holdingOf({ ...turn, actor: holderOf(turn, item) }, item, undefined)
    if (holding.kind !== 'held') return 'already'
    if (endIfCancelled(turn, holding.task, 'nothing')) return 'ok'
    endDead(turn, holding.task, {
      reason: 'unreadable_payload',
      counts: 'nothing',
      error: { message: 'the payload on disk failed its checksum', type: 'UnreadablePayload' },
    })
    return 'ok'
  })
}

function holderOf(turn: Turn, item: HeldTask): string {
  const { state } = turn
  const task = state.index.find(item.id)
  const lease = task === undefined ? NO_ROW : state.tasks.lease(task)
  return lease === NO_ROW ? turn.actor : state.sessionAt(state.leases.session(lease)).principal
}

function liveTask(turn: Turn, id: TaskIdBytes): Row | undefined {
  const task = turn.state.index.find(id)
  return task === undefined || turn.state.ends.has(task) ? undefined : task
}

function endOf(turn: Turn, id: TaskIdBytes, ended: EndedTasks): EndRecord | undefined {
  const task = turn.state.index.find(id)
  return task === undefined ? ended.get(hexOf(id))?.end : turn.state.ends.get(task)
}

function requestCancel(turn: Turn, task: Row, note: string | undefined): void {
  const { wallMs: atMs, actor } = turn
  turn.emit({ kind: 'task-cancel-requested', task, note, atMs, actor })
}

function endCancelled(turn: Turn, task: Row, note: string | undefined): void {
  turn.emit({
    kind: 'task-ended',
    task,
    state: 'cancelled',
    reason: 'cancelled',
    result: undefined,
    error: undefined,
    note,
    attempt: undefined,
    counts: 'nothing',
    atMs: turn.wallMs,
    actor: turn.actor,
  })
}

function notFound(id: TaskIdBytes): Refusal {
  return refuse('NOT_FOUND', `no task ${formatTaskId(id)}: it never was, or it was not kept`)
}

function endedAs(id: TaskIdBytes, end: EndRecord): Refusal {
  return refuse('INVALID_STATE', `task ${formatTaskId(id)} has ended as ${end.state}`)
}
