// Descriptions of tasks as the SDK shows them: ids as text instead of bytes.

import type { TaskDescription, TaskRow, WorkerStats } from '@tq/core'
import { taskIdText } from './task-id-text.ts'

export interface TaskInfo extends Omit<TaskDescription, 'id' | 'lease'> {
  readonly id: string
  readonly lease?: Omit<NonNullable<TaskDescription['lease']>, 'session'> & {
    /** The session of its worker, in hex. */
    readonly session: string
  }
}

export interface TaskListRow extends Omit<TaskRow, 'id'> {
  readonly id: string
}

export interface WorkerInfo extends Omit<WorkerStats, 'session'> {
  readonly session: string
}

export function taskInfo(task: TaskDescription): TaskInfo {
  const { lease, ...rest } = task
  const info = { ...rest, id: taskIdText(task.id) }
  if (lease === undefined) return info
  return { ...info, lease: { ...lease, session: hexOf(lease.session) } }
}

export function taskListRow(row: TaskRow): TaskListRow {
  return { ...row, id: taskIdText(row.id) }
}

export function workerInfo(worker: WorkerStats): WorkerInfo {
  return { ...worker, session: hexOf(worker.session) }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
