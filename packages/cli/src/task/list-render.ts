// Tasks for people, one a line.

import type { TaskListRow } from '@tq/client'
import { showInstant, showRelative } from '../moment.ts'
import { printable } from '../printable.ts'
import { type Cells, type Column, renderTable, type View } from '../table.ts'
import { paintState } from './task-state.ts'

const COLUMNS: readonly Column[] = [
  { head: 'task' },
  { head: 'queue' },
  { head: 'type' },
  { head: 'state' },
  { head: 'priority', align: 'right' },
  { head: 'attempt', align: 'right' },
  { head: 'created' },
  { head: 'due or ended' },
  { head: 'worker' },
]

/** Empty for no tasks. */
export function renderTasks(tasks: readonly TaskListRow[], view: View): string {
  if (tasks.length === 0) return ''
  return renderTable(
    COLUMNS,
    tasks.map((task) => cellsOf(task, view)),
    view,
  )
}

function cellsOf(task: TaskListRow, view: View): Cells {
  return [
    task.id,
    task.queue,
    printable(task.type),
    paintState(task.state, view.colors),
    String(task.priority),
    String(task.attempt),
    momentText(task.createdAtMs, view),
    momentText(task.endedAtMs ?? task.dueAtMs, view),
    task.worker === undefined ? '-' : printable(task.worker),
  ]
}

/** Relative for people, absolute for a pipe. */
function momentText(atMs: number | undefined, view: View): string {
  if (atMs === undefined) return '-'
  return view.isScreen ? showRelative(atMs, view.nowMs) : showInstant(atMs)
}
