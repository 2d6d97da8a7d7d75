// A task as `-o json` prints it: what the broker tells, with payload and result decoded.

import type { TaskInfo } from '@tq/client'
import { jsonOfBytes } from '../opaque.ts'

/**
 * All fields of the description as they are. `payload` and `end.result` are the decoded values, or
 * `payloadBase64` and `end.resultBase64` if the bytes are no MessagePack.
 */
export function taskJson(task: TaskInfo): object {
  const { payload, end, ...rest } = task
  return {
    ...rest,
    ...(end === undefined ? {} : { end: endJson(end) }),
    ...jsonOfBytes('payload', payload),
  }
}

function endJson(end: NonNullable<TaskInfo['end']>): object {
  const { result, ...rest } = end
  return { ...rest, ...jsonOfBytes('result', result) }
}
