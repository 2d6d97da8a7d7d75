// A task for people: what it is, where it stands, how it came there.

import type { TaskInfo } from '@tq/client'
import { showCount } from '../count.ts'
import { showDuration } from '../duration.ts'
import { showLabels } from '../key-value.ts'
import { showMoment } from '../moment.ts'
import { showBytes } from '../opaque.ts'
import { printable, printableLines } from '../printable.ts'
import { renderFields, type View } from '../table.ts'
import { errorLine, renderHistory } from './task-history.ts'
import { paintState } from './task-state.ts'

type Field = readonly [name: string, value: string | undefined]

/** Everything about one task. */
export function renderTask(task: TaskInfo, view: View): string {
  const fields = [...identity(task), ...standing(task, view), ...lease(task, view)]
  const parts = [renderFields([...fields, ...ending(task, view), ...content(task, view)], view)]
  if (task.history !== undefined && task.history.length > 0) {
    parts.push(`${view.colors.bold('history')}\n${renderHistory(task.history, view)}`)
  }
  return parts.join('\n\n')
}

function identity(task: TaskInfo): Field[] {
  return [
    ['task', task.id],
    ['queue', task.queue],
    ['type', printable(task.type)],
  ]
}

function standing(task: TaskInfo, view: View): Field[] {
  const moment = (atMs: number | undefined) => {
    return atMs === undefined ? undefined : showMoment(atMs, view.nowMs)
  }
  const cancel = task.cancelRequested === true ? ', its cancel was requested' : ''
  return [
    ['state', paintState(task.state, view.colors) + cancel],
    ['attempt', attemptText(task)],
    ['priority', String(task.priority)],
    ['created', moment(task.createdAtMs)],
    ['due', moment(task.dueAtMs)],
    ['expires', moment(task.expiresAtMs)],
    ['timeout', `${showDuration(task.timeoutMs)} an attempt`],
    ['key', task.idempotencyKey === undefined ? undefined : printable(task.idempotencyKey)],
    ['requires', task.requires === undefined ? undefined : printable(showLabels(task.requires))],
    ['headers', task.headers === undefined ? undefined : headersText(task.headers)],
    ['trace', task.trace === undefined ? undefined : printable(task.trace.traceparent)],
  ]
}

function attemptText(task: TaskInfo): string {
  const { attempt, failures, maxAttempts, losses, maxLost } = task
  const redriven = task.generation > 0 ? `, redriven ${showCount(task.generation, 'time')}` : ''
  return `${attempt} (${failures} of ${maxAttempts} failures, ${losses} of ${maxLost} losses${redriven})`
}

function headersText(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => printable(`${name}=${value}`))
    .join('\n')
}

function lease(task: TaskInfo, view: View): Field[] {
  const { lease } = task
  if (lease === undefined) return []
  const left = showDuration(lease.remainingMs)
  const { startedAtMs, percent, note } = lease
  const progress = [percent === undefined ? '' : `${percent} %`, printable(note ?? '')]
  return [
    ['held by', `${printable(lease.worker)} (session ${lease.session})`],
    ['lease', `${left} left, token ${lease.token}`],
    ['assigned', showMoment(lease.assignedAtMs, view.nowMs)],
    ['started', startedAtMs === undefined ? undefined : showMoment(startedAtMs, view.nowMs)],
    ['progress', progress.join(' ').trim() || undefined],
  ]
}

function ending(task: TaskInfo, view: View): Field[] {
  const { end } = task
  if (end === undefined) return []
  const { result, error, note } = end
  return [
    ['ended', `${showMoment(end.atMs, view.nowMs)}, ${end.reason}`],
    ['note', note === undefined ? undefined : printable(note)],
    ['error', error === undefined ? undefined : errorLine(error, view)],
    ['stack', error?.stack === undefined ? undefined : printableLines(error.stack)],
    ['result', result === undefined ? undefined : showBytes(result, view)],
  ]
}

function content(task: TaskInfo, view: View): Field[] {
  const { payload, payloadBytes } = task
  if (payload !== undefined) return [['payload', showBytes(payload, view)]]
  return [['payload', `${showCount(payloadBytes, 'byte')}; --payload shows it`]]
}
