// A retry policy from the wire: every field is optional here, its owner fills in what is missing.

import { DELAY_MS_MAX, ERROR_TYPE_BYTES_MAX, NOT_RETRYABLE_TYPES_MAX } from '../limits.ts'
import type { RetryKind, RetryPolicy } from '../retry.ts'
import {
  definedOnly,
  isAbsent,
  optionalInteger,
  parseItems,
  refuseUnknown,
  requireLine,
  requireMap,
  requireNumber,
  requireWord,
  within,
} from './field.ts'

const RETRY_FIELDS: ReadonlySet<string> = new Set([
  'kind',
  'baseMs',
  'factor',
  'capMs',
  'jitter',
  'notRetryable',
])
const RETRY_KINDS: readonly RetryKind[] = ['exponential', 'linear', 'fixed']
const DELAY = { min: 0, max: DELAY_MS_MAX }
/** Below 1 a delay would shrink; above 100 the cap is reached at once. */
const FACTOR = { min: 1, max: 100 }
const JITTER = { min: 0, max: 1 }
const NOT_RETRYABLE = { min: 0, max: NOT_RETRYABLE_TYPES_MAX }
const ERROR_TYPE = { bytesMin: 1, bytesMax: ERROR_TYPE_BYTES_MAX }

/** @throws {FieldError} With a path that begins with `retry`. */
export function parseRetry(value: unknown): Partial<RetryPolicy> {
  try {
    const fields = requireMap(value, '')
    refuseUnknown(fields, RETRY_FIELDS)
    const { kind, factor, jitter, notRetryable } = fields
    return definedOnly<Partial<RetryPolicy>>({
      kind: isAbsent(kind) ? undefined : requireWord(kind, 'kind', RETRY_KINDS),
      baseMs: optionalInteger(fields['baseMs'], 'baseMs', DELAY),
      factor: isAbsent(factor) ? undefined : requireNumber(factor, 'factor', FACTOR),
      capMs: optionalInteger(fields['capMs'], 'capMs', DELAY),
      jitter: isAbsent(jitter) ? undefined : requireNumber(jitter, 'jitter', JITTER),
      notRetryable: isAbsent(notRetryable)
        ? undefined
        : parseItems(notRetryable, 'notRetryable', NOT_RETRYABLE, parseErrorType),
    })
  } catch (error) {
    throw within(error, 'retry')
  }
}

function parseErrorType(value: unknown): string {
  return requireLine(value, '', ERROR_TYPE)
}
