// Waiting for the end of a task: what is printed, and which exit code tells how it ended.

import { setTimeout as delay } from 'node:timers/promises'
import { type TaskInfo, type TqClient, TqError } from '@tq/client'
import { call } from '../connect.ts'
import { showDuration } from '../duration.ts'
import { exitCodeOfState } from '../exit-code.ts'
import { showBytes } from '../opaque.ts'
import { printable } from '../printable.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { taskJson } from './task-json.ts'

type Waiting = Pick<TqClient, 'wait'>

/** Between two tries of a wait whose broker stays away for longer than an answer may take, in ms. */
const TRY_AGAIN_MS = 1_000

/**
 * Waits for the end; prints the result, or with `-o json` all about the task.
 * @param more Goes into the JSON as well.
 */
export async function waitForEnd(
  run: Run,
  client: Waiting,
  what: { readonly id: string; readonly more?: object },
): Promise<void> {
  const task = await ended(run, client, what.id)
  run.exitCode = exitCodeOfState(task.state)
  run.terminal.note(endLine(task))
  const result = task.end?.result
  printResult(run, { ...what.more, task: taskJson(task) }, () =>
    result === undefined ? '' : showBytes(result, viewOf(run)),
  )
}

/** Without a --timeout as long as it takes: also if the broker is away for minutes. */
async function ended(run: Run, client: Waiting, id: string): Promise<TaskInfo> {
  const { timeout: timeoutMs } = run.options()
  if (timeoutMs !== undefined) return client.wait(id, { ...call(run), timeoutMs })
  for (;;) {
    try {
      return await client.wait(id, call(run))
    } catch (error) {
      if (!isAway(error)) throw error
      await delay(TRY_AGAIN_MS, undefined, call(run))
    }
  }
}

function isAway(error: unknown): boolean {
  return error instanceof TqError && (error.code === 'TIMEOUT' || error.code === 'UNAVAILABLE')
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
