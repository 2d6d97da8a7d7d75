// Waits until a task has ended, over as many long polls as it takes.

import { limits, type TaskDescription, type TaskIdBytes, TqError } from '@tq/core'
import type { CallOptions, Session } from './session.ts'
import { taskIdText } from './task-id-text.ts'

/**
 * The description of the task once it is terminal.
 * @param options.timeoutMs Longest time in all; default: no limit.
 */
export async function waitForTask(
  session: Session,
  id: TaskIdBytes,
  options: CallOptions,
): Promise<TaskDescription> {
  const { timeoutMs = Infinity, signal } = options
  const { clock, requestTimeoutMs } = session.settings
  const endAtMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    const leftMs = endAtMs - clock.monotonicMs()
    const waitMs = Math.max(0, Math.min(limits.WAIT_MS_MAX, Math.floor(leftMs)))
    const reply = await session.request<'wait'>(
      { verb: 'wait', id, waitMs },
      { waitMs, ...(signal === undefined ? {} : { signal }), timeoutMs: requestTimeoutMs + waitMs },
    )
    if (reply.done && reply.task !== undefined) return reply.task
    if (clock.monotonicMs() >= endAtMs) {
      const text = `task ${taskIdText(id)} has not ended within ${timeoutMs} ms`
      throw new TqError('TIMEOUT', text, { timeoutMs })
    }
  }
}
