// The items of requests: a task to enqueue, a task that is held, how an attempt ended.

import {
  DELAY_MS_MAX,
  ERROR_MESSAGE_BYTES_MAX,
  ERROR_STACK_BYTES_MAX,
  ERROR_TYPE_BYTES_MAX,
  MSGPACK_STRING_BYTES_MAX,
  PAYLOAD_BYTES_MAX,
  PROGRESS_NOTE_BYTES_MAX,
  RESULT_BYTES_MAX,
} from '../limits.ts'
import { slotOfQueue } from '../slot.ts'
import { slotOfTaskId } from '../task-id.ts'
import {
  badField,
  isAbsent,
  optionalInteger,
  optionalText,
  refuseUnknown,
  requireBoolean,
  requireBytes,
  requireLine,
  requireList,
  requireMap,
  requireNumber,
  requireText,
  requireTuple,
  within,
  withinItem,
} from './field.ts'
import { parseTaskOptions } from './parse-task-options.ts'
import type { Completion, Failure, HeldTask, Progress, TaskError, TaskSpec } from './request.ts'
import { ITEMS, requireTaskId, requireToken, TASK_TYPE } from './task-field.ts'

const FAILURE_OPTIONS: ReadonlySet<string> = new Set(['retryable', 'retryAfterMs'])
const ERROR_FIELDS: ReadonlySet<string> = new Set(['message', 'type', 'stack'])
const ERROR_TEXT = { bytesMin: 0, bytesMax: MSGPACK_STRING_BYTES_MAX }
const NOTE = { bytesMin: 0, bytesMax: PROGRESS_NOTE_BYTES_MAX }
const PERCENT = { min: 0, max: 100 }
const RETRY_AFTER_MS = { min: 0, max: DELAY_MS_MAX }

/** The tasks of an enqueue: `[id | nil, type, payload, options | nil]` each. */
export function parseTaskSpecs(value: unknown, queue: string): readonly TaskSpec[] {
  const items = requireList(value, 'tasks', ITEMS)
  const slot = slotOfQueue(queue)
  const specs: TaskSpec[] = []
  let index = 0
  let type: string | undefined
  try {
    for (; index < items.length; index += 1) {
      const item = requireTuple(items[index], 3, 4)
      // Tasks of one request mostly share their type, and equal texts are one object here.
      if (type === undefined || item[1] !== type) type = requireLine(item[1], 'type', TASK_TYPE)
      specs.push(parseTaskSpec(item, type, slot))
    }
  } catch (error) {
    throw withinItem(error, 'tasks', index)
  }
  return specs
}

function parseTaskSpec(item: readonly unknown[], type: string, slot: number): TaskSpec {
  const id = isAbsent(item[0]) ? undefined : requireTaskId(item[0], 'id')
  if (id !== undefined && slotOfTaskId(id) !== slot) {
    badField('id', `must have the slot of its queue, ${slot}, got ${slotOfTaskId(id)}`)
  }
  const payload = requireBytes(item[2], 'payload', PAYLOAD_BYTES_MAX)
  const options = isAbsent(item[3]) ? undefined : parseTaskOptions(item[3])
  return { id, type, payload, options }
}

/** `[id, token]`. */
export function parseHeldTask(value: unknown): HeldTask {
  const item = requireTuple(value, 2, 2)
  return { id: requireTaskId(item[0], 'id'), token: requireToken(item[1]) }
}

/** `[id, token, result | nil]`. */
export function parseCompletion(value: unknown): Completion {
  const item = requireTuple(value, 2, 3)
  const result = item[2]
  return {
    id: requireTaskId(item[0], 'id'),
    token: requireToken(item[1]),
    result: isAbsent(result) ? undefined : requireBytes(result, 'result', RESULT_BYTES_MAX),
  }
}

/** `[id, token, error, options | nil]`. */
export function parseFailure(value: unknown): Failure {
  const item = requireTuple(value, 3, 4)
  const failure = {
    id: requireTaskId(item[0], 'id'),
    token: requireToken(item[1]),
    error: parseTaskError(item[2]),
  }
  if (isAbsent(item[3])) return failure
  try {
    return { ...failure, ...parseFailureOptions(item[3]) }
  } catch (error) {
    throw within(error, 'options')
  }
}

function parseFailureOptions(value: unknown): { retryable?: boolean; retryAfterMs?: number } {
  const fields = requireMap(value, '')
  refuseUnknown(fields, FAILURE_OPTIONS)
  const options: { retryable?: boolean; retryAfterMs?: number } = {}
  const retryable = fields['retryable']
  if (!isAbsent(retryable)) options.retryable = requireBoolean(retryable, 'retryable')
  const afterMs = optionalInteger(fields['retryAfterMs'], 'retryAfterMs', RETRY_AFTER_MS)
  if (afterMs !== undefined) options.retryAfterMs = afterMs
  return options
}

/** A failure must never be lost because its text is long: the texts are cut to what is kept. */
function parseTaskError(value: unknown): TaskError {
  try {
    const fields = requireMap(value, '')
    refuseUnknown(fields, ERROR_FIELDS)
    const message = requireText(fields['message'], 'message', ERROR_TEXT)
    const type = optionalText(fields['type'], 'type', ERROR_TEXT)
    const stack = optionalText(fields['stack'], 'stack', ERROR_TEXT)
    return {
      message: cutText(message, ERROR_MESSAGE_BYTES_MAX),
      ...(type === undefined ? {} : { type: cutText(type, ERROR_TYPE_BYTES_MAX) }),
      ...(stack === undefined ? {} : { stack: cutText(stack, ERROR_STACK_BYTES_MAX) }),
    }
  } catch (error) {
    throw within(error, 'error')
  }
}

/** The first bytes of a text, whole characters only. */
function cutText(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= bytesMax) return text
  let end = bytesMax
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

/** `[id, token, percent | nil, note | nil]`. */
export function parseProgress(value: unknown): Progress {
  const item = requireTuple(value, 2, 4)
  return {
    id: requireTaskId(item[0], 'id'),
    token: requireToken(item[1]),
    percent: isAbsent(item[2]) ? undefined : requireNumber(item[2], 'percent', PERCENT),
    note: optionalText(item[3], 'note', NOTE),
  }
}
