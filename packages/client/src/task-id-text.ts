// Task ids at the SDK's face: 36-character text outside, 16 bytes on the wire.

import { formatTaskId, parseTaskId, type TaskIdBytes, TqError } from '@tq/core'

/** The bytes of an id given as text. Throws BAD_REQUEST. */
export function taskIdBytes(text: string): TaskIdBytes {
  const id = typeof text === 'string' ? parseTaskId(text) : undefined
  if (id !== undefined) return id
  throw new TqError(
    'BAD_REQUEST',
    `"${String(text)}" is not a task id; it must be a UUIDv7 in its 36-character form`,
    { field: 'id' },
  )
}

export function taskIdText(id: TaskIdBytes): string {
  return formatTaskId(id)
}
