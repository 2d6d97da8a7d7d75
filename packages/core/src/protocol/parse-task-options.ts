// The options of a task to enqueue: each known key checked once, all others refused.

import {
  ATTEMPTS_MAX,
  DELAY_MS_MAX,
  HEADER_BYTES_MAX,
  HEADERS_MAX,
  IDEMPOTENCY_KEY_BYTES_MAX,
  INSTANT_MS_MAX,
  LABEL_BYTES_MAX,
  SIZE_HINT_BYTES_MAX,
  TIMEOUT_MS_MAX,
  TIMEOUT_MS_MIN,
  TRACEPARENT_BYTES_MAX,
  TRACESTATE_BYTES_MAX,
} from '../limits.ts'
import {
  badField,
  isAbsent,
  refuseKey,
  refuseUnknown,
  requireInteger,
  requireKey,
  requireLine,
  requireMap,
  requireText,
  tooLarge,
  within,
  type Fields,
} from './field.ts'
import { parseRetry } from './parse-retry.ts'
import type { TaskOptions } from './request.ts'
import { PRIORITY, requireLabels } from './task-field.ts'

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

const INSTANT = { min: 0, max: INSTANT_MS_MAX }
const DELAY = { min: 0, max: DELAY_MS_MAX }
const TTL = { min: 1, max: DELAY_MS_MAX }
const TIMEOUT = { min: TIMEOUT_MS_MIN, max: TIMEOUT_MS_MAX }
const DURATION_HINT = { min: 0, max: TIMEOUT_MS_MAX }
const SIZE_HINT = { min: 0, max: SIZE_HINT_BYTES_MAX }
const ATTEMPTS = { min: 1, max: ATTEMPTS_MAX }
const IDEMPOTENCY_KEY = { bytesMin: 1, bytesMax: IDEMPOTENCY_KEY_BYTES_MAX }
const HEADER_NAME = { bytesMin: 1, bytesMax: LABEL_BYTES_MAX }
const HEADER_VALUE = { bytesMin: 0, bytesMax: HEADER_BYTES_MAX }
const TRACEPARENT = { bytesMin: 1, bytesMax: TRACEPARENT_BYTES_MAX }
const TRACESTATE = { bytesMin: 0, bytesMax: TRACESTATE_BYTES_MAX }
const TRACE_FIELDS: ReadonlySet<string> = new Set(['traceparent', 'tracestate'])
const OPTION_FIELDS: ReadonlySet<string> = new Set([
  'priority',
  'runAtMs',
  'delayMs',
  'ttlMs',
  'idempotencyKey',
  'maxAttempts',
  'maxLost',
  'retry',
  'timeoutMs',
  'durationHintMs',
  'sizeHintBytes',
  'requires',
  'headers',
  'trace',
])

/** @throws {FieldError} With a path that begins with `options`. */
export function parseTaskOptions(value: unknown): TaskOptions {
  try {
    const fields = requireMap(value, '')
    const options: Mutable<TaskOptions> = {}
    for (const name in fields) {
      if (!isAbsent(fields[name])) parseOption(options, name, fields[name])
      else if (!OPTION_FIELDS.has(name)) refuseKey(name, OPTION_FIELDS)
    }
    if (options.runAtMs !== undefined && options.delayMs !== undefined) {
      badField('delayMs', 'must not come together with runAtMs; give one of them')
    }
    return options
  } catch (error) {
    throw within(error, 'options')
  }
}

function parseOption(options: Mutable<TaskOptions>, name: string, value: unknown): void {
  switch (name) {
    case 'priority':
      options.priority = requireInteger(value, name, PRIORITY)
      return
    case 'runAtMs':
      options.runAtMs = requireInteger(value, name, INSTANT)
      return
    case 'delayMs':
      options.delayMs = requireInteger(value, name, DELAY)
      return
    case 'ttlMs':
      options.ttlMs = requireInteger(value, name, TTL)
      return
    case 'idempotencyKey':
      options.idempotencyKey = requireText(value, name, IDEMPOTENCY_KEY)
      return
    case 'maxAttempts':
      options.maxAttempts = requireInteger(value, name, ATTEMPTS)
      return
    case 'maxLost':
      options.maxLost = requireInteger(value, name, ATTEMPTS)
      return
    case 'timeoutMs':
      options.timeoutMs = requireInteger(value, name, TIMEOUT)
      return
    case 'durationHintMs':
      options.durationHintMs = requireInteger(value, name, DURATION_HINT)
      return
    case 'sizeHintBytes':
      options.sizeHintBytes = requireInteger(value, name, SIZE_HINT)
      return
    default:
      parseCompoundOption(options, name, value)
  }
}

function parseCompoundOption(options: Mutable<TaskOptions>, name: string, value: unknown): void {
  switch (name) {
    case 'retry':
      options.retry = parseRetry(value)
      return
    case 'requires':
      options.requires = requireLabels(value, name)
      return
    case 'headers':
      options.headers = parseHeaders(requireMap(value, name))
      return
    case 'trace':
      options.trace = parseTrace(requireMap(value, name))
      return
    default:
      refuseKey(name, OPTION_FIELDS)
  }
}

function parseHeaders(fields: Fields): Readonly<Record<string, string>> {
  const names = Object.keys(fields)
  if (names.length > HEADERS_MAX) {
    tooLarge('headers', `may have ${HEADERS_MAX} names, got ${names.length}`)
  }
  let byteCount = 0
  try {
    for (const name of names) {
      requireKey(name, HEADER_NAME)
      const text = requireText(fields[name], name, HEADER_VALUE)
      byteCount += Buffer.byteLength(name) + Buffer.byteLength(text)
    }
  } catch (error) {
    throw within(error, 'headers')
  }
  if (byteCount <= HEADER_BYTES_MAX) return fields as Readonly<Record<string, string>>
  return tooLarge('headers', `may have ${HEADER_BYTES_MAX} bytes in all, got ${byteCount}`)
}

function parseTrace(fields: Fields): NonNullable<TaskOptions['trace']> {
  try {
    refuseUnknown(fields, TRACE_FIELDS)
    const traceparent = requireLine(fields['traceparent'], 'traceparent', TRACEPARENT)
    if (isAbsent(fields['tracestate'])) return { traceparent }
    const tracestate = requireLine(fields['tracestate'], 'tracestate', TRACESTATE)
    return { traceparent, tracestate }
  } catch (error) {
    throw within(error, 'trace')
  }
}
