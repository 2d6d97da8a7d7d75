// Room for more live tasks: in their queue, and in the broker.

import { type Refusal, refuse } from './decision.ts'
import type { Queue } from './queue.ts'
import type { EngineState } from './state.ts'

const RETRY_AFTER_MS = 1_000

/** Why the queue cannot take so many tasks more; undefined if it can. */
export function lackOfRoom(
  state: EngineState,
  queue: Queue,
  newTasks: number,
): Refusal | undefined {
  const { tasksMax } = queue.settings
  if (queue.liveCount + newTasks > tasksMax) {
    const text = `queue "${queue.name}" holds ${queue.liveCount} tasks; its limit is ${tasksMax}`
    return refuse('RESOURCE_EXHAUSTED', text, { retryAfterMs: RETRY_AFTER_MS, queue: queue.name })
  }
  if (state.liveCount + newTasks > state.options.tasksMax) {
    const text = `the broker holds ${state.liveCount} tasks; its limit is ${state.options.tasksMax}`
    return refuse('RESOURCE_EXHAUSTED', text, { retryAfterMs: RETRY_AFTER_MS })
  }
  return undefined
}
