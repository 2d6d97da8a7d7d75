// Tasks as a producer makes them: with ids of their own.

import { randomFillSync } from 'node:crypto'
import { encodePayload, slotOfQueue, TaskIdMaker, type TaskOptions, type TaskSpec } from '@tq/core'

export interface TaskWishes {
  readonly type?: string
  /** Any plain value; default a small map. */
  readonly payload?: unknown
  readonly options?: TaskOptions
}

const ids = new TaskIdMaker({
  wallMs: () => Date.now(),
  fillRandom: (bytes) => void randomFillSync(bytes),
})

export function aTask(queue: string, wishes: TaskWishes = {}): TaskSpec {
  const { type = 'work', payload = { n: 1 }, options } = wishes
  const id = ids.make(slotOfQueue(queue))
  return { id, type, payload: encodePayload(payload), options }
}

let queueCount = 0

/** A queue that no other test of this file uses. */
export function aQueueName(): string {
  queueCount += 1
  return `queue-${queueCount}`
}
