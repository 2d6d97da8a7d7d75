// Waiting for the end of a task: what is printed, and which exit code tells how it ended.

import type { TaskInfo, TqClient } from '@tq/client'
import { call } from '../connect.ts'
import { showDuration } from '../duration.ts'
import { exitCodeOfState } from '../exit-code.ts'
import { showBytes } from '../opaque.ts'
import { printable } from '../printable.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { taskJson } from './task-json.ts'

/**
 * Waits for the end; prints the result, or with `-o json` all about the task.
 * @param more Goes into the JSON as well.
 */
export async function waitForEnd(
  run: Run,
  client: TqClient,
  what: { readonly id: string; readonly more?: object },
): Promise<void> {
  const { timeout } = run.options()
  const limit = timeout === undefined ? {} : { timeoutMs: timeout }
  const task = await client.wait(what.id, { ...call(run), ...limit })
  run.exitCode = exitCodeOfState(task.state)
  run.terminal.note(endLine(task))
  const result = task.end?.result
  printResult(run, { ...what.more, task: taskJson(task) }, () =>
    result === undefined ? '' : showBytes(result, viewOf(run)),
  )
}

/** `task … is dead (attempts_exhausted) after 2m: no such address` */
export function endLine(task: TaskInfo): string {
  const { end, state } = task
  if (end === undefined) return `task ${task.id} is ${state}`
  const reason = end.reason === state ? '' : ` (${end.reason})`
  const after = showDuration(Math.max(0, end.atMs - task.createdAtMs))
  const why = end.error?.message ?? end.note
  const tail = why === undefined ? '' : `: ${printable(why)}`
  return `task ${task.id} is ${state}${reason} after ${after}${tail}`
}
