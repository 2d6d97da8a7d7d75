// The fields that many verbs share: queue names, task types, ids, tokens, labels.

import {
  LABEL_BYTES_MAX,
  LABELS_MAX,
  PRIORITY_MAX,
  QUEUE_NAME_BYTES_MAX,
  TASK_TYPE_BYTES_MAX,
  TOKEN_MAX,
  ITEMS_PER_REQUEST_MAX,
} from '../limits.ts'
import { isTaskIdBytes, type TaskIdBytes } from '../task-id.ts'
import {
  badField,
  isAbsent,
  requireInteger,
  requireKey,
  requireLine,
  requireMap,
  requireText,
  tooLarge,
  within,
  type BytesRange,
  type NumberRange,
} from './field.ts'
import type { Labels } from './request.ts'

/** Begins with a letter or digit; then also `_ . : - /`. Never a control or wildcard character. */
const QUEUE_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.:/-]*$/

const QUEUE_NAME: BytesRange = { bytesMin: 1, bytesMax: QUEUE_NAME_BYTES_MAX }
export const TASK_TYPE: BytesRange = { bytesMin: 1, bytesMax: TASK_TYPE_BYTES_MAX }
export const PRIORITY: NumberRange = { min: 0, max: PRIORITY_MAX }
const TOKEN: NumberRange = { min: 1, max: TOKEN_MAX - 1 }
export const ITEMS: NumberRange = { min: 1, max: ITEMS_PER_REQUEST_MAX }
const LABEL: BytesRange = { bytesMin: 1, bytesMax: LABEL_BYTES_MAX }
const LABEL_TEXT: BytesRange = { bytesMin: 0, bytesMax: LABEL_BYTES_MAX }

/** True if a queue may have this name. */
export function isQueueName(name: string): boolean {
  return name.length <= QUEUE_NAME_BYTES_MAX && QUEUE_NAME_PATTERN.test(name)
}

export function requireQueue(value: unknown, name: string): string {
  const queue = requireText(value, name, QUEUE_NAME)
  if (QUEUE_NAME_PATTERN.test(queue)) return queue
  return badField(name, 'must begin with a letter or digit and have letters, digits and _.:/- only')
}

export function optionalQueue(value: unknown): string | undefined {
  return isAbsent(value) ? undefined : requireQueue(value, 'queue')
}

export function requireTaskId(value: unknown, name: string): TaskIdBytes {
  return isTaskIdBytes(value) ? value : badField(name, 'must be a UUIDv7 as a bin of 16 bytes')
}

/** The id alone, as an item of a list. */
export function parseTaskIdItem(value: unknown): TaskIdBytes {
  return requireTaskId(value, '')
}

export function requireToken(value: unknown): number {
  return requireInteger(value, 'token', TOKEN)
}

export function requireLabels(value: unknown, name: string): Labels {
  const fields = requireMap(value, name)
  const keys = Object.keys(fields)
  if (keys.length > LABELS_MAX) {
    return tooLarge(name, `may have ${LABELS_MAX} labels, got ${keys.length}`)
  }
  try {
    for (const key of keys) requireLabel(key, fields[key])
  } catch (error) {
    throw within(error, name)
  }
  return fields as Labels
}

function requireLabel(key: string, value: unknown): void {
  requireKey(key, LABEL)
  if (typeof value === 'boolean') return
  if (typeof value === 'number') {
    // NaN equals nothing, itself included: no worker would ever fit.
    if (!Number.isFinite(value)) badField(key, `must be a finite number, got ${value}`)
    return
  }
  if (typeof value !== 'string') badField(key, 'must be a str, a number, true or false')
  requireLine(value, key, LABEL_TEXT)
}
