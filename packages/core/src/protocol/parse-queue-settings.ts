// The settings of a queue in `queue-set`: each is optional, what is left out stays as it is.

import {
  ATTEMPTS_MAX,
  DELAY_MS_MAX,
  RETENTION_COUNT_MAX,
  RETENTION_MS_MAX,
  TASKS_PER_QUEUE_MAX,
  TIMEOUT_FACTOR_MAX,
  TIMEOUT_MS_MAX,
  TIMEOUT_MS_MIN,
  TIMEOUT_POLICIES_PER_QUEUE_MAX,
} from '../limits.ts'
import type { QueueOrder } from '../rank.ts'
import { DEFAULT_RETRY } from '../retry.ts'
import type { TimeoutPolicy } from '../timeout-policy.ts'
import { unreachable } from '../invariant.ts'
import {
  badField,
  definedOnly,
  isAbsent,
  optionalInteger,
  refuseUnknown,
  requireInteger,
  requireKey,
  requireMap,
  requireNumber,
  requireWord,
  tooLarge,
  within,
  type Fields,
} from './field.ts'
import { parseRetry } from './parse-retry.ts'
import type { QueueSettings } from './request.ts'
import { TASK_TYPE } from './task-field.ts'

const SETTING_FIELDS: ReadonlySet<string> = new Set([
  'order',
  'agingMsPerLevel',
  'tasksMax',
  'maxAttempts',
  'maxLost',
  'retry',
  'retentionMs',
  'retentionCount',
  'deadRetentionMs',
  'deadRetentionCount',
  'timeouts',
])
const ORDERS: readonly QueueOrder[] = ['aging', 'strict']
const AGING = { min: 0, max: DELAY_MS_MAX }
const TASKS = { min: 1, max: TASKS_PER_QUEUE_MAX }
const ATTEMPTS = { min: 1, max: ATTEMPTS_MAX }
const RETENTION_MS = { min: 0, max: RETENTION_MS_MAX }
const RETENTION_COUNT = { min: 0, max: RETENTION_COUNT_MAX }
const TIMEOUT = { min: TIMEOUT_MS_MIN, max: TIMEOUT_MS_MAX }
const FACTOR = { min: 0, max: TIMEOUT_FACTOR_MAX }
const POLICY_KINDS: readonly TimeoutPolicy['kind'][] = ['fixed', 'duration-hint', 'size-hint']
const POLICY_FIELDS: Readonly<Record<TimeoutPolicy['kind'], ReadonlySet<string>>> = {
  fixed: new Set(['kind', 'ms']),
  'duration-hint': new Set(['kind', 'factor', 'floorMs', 'ceilingMs']),
  'size-hint': new Set(['kind', 'msPerMiB', 'floorMs', 'ceilingMs']),
}

/** @throws {FieldError} With a path that begins with `settings`. */
export function parseQueueSettings(value: unknown): Partial<QueueSettings> {
  try {
    const fields = requireMap(value, '')
    refuseUnknown(fields, SETTING_FIELDS)
    return definedOnly<Partial<QueueSettings>>({
      order: isAbsent(fields['order']) ? undefined : requireWord(fields['order'], 'order', ORDERS),
      agingMsPerLevel: optionalInteger(fields['agingMsPerLevel'], 'agingMsPerLevel', AGING),
      tasksMax: optionalInteger(fields['tasksMax'], 'tasksMax', TASKS),
      maxAttempts: optionalInteger(fields['maxAttempts'], 'maxAttempts', ATTEMPTS),
      maxLost: optionalInteger(fields['maxLost'], 'maxLost', ATTEMPTS),
      retry: isAbsent(fields['retry'])
        ? undefined
        : { ...DEFAULT_RETRY, ...parseRetry(fields['retry']) },
      ...parseRetention(fields),
      timeouts: isAbsent(fields['timeouts'])
        ? undefined
        : parseTimeouts(requireMap(fields['timeouts'], 'timeouts')),
    })
  } catch (error) {
    throw within(error, 'settings')
  }
}

function parseRetention(fields: Fields): {
  [Name in `${'r' | 'deadR'}etention${'Ms' | 'Count'}`]: number | undefined
} {
  return {
    retentionMs: optionalInteger(fields['retentionMs'], 'retentionMs', RETENTION_MS),
    retentionCount: optionalInteger(fields['retentionCount'], 'retentionCount', RETENTION_COUNT),
    deadRetentionMs: optionalInteger(fields['deadRetentionMs'], 'deadRetentionMs', RETENTION_MS),
    deadRetentionCount: optionalInteger(
      fields['deadRetentionCount'],
      'deadRetentionCount',
      RETENTION_COUNT,
    ),
  }
}

/** Policies by task type; `*` stands for all types that are not named. */
function parseTimeouts(fields: Fields): Readonly<Record<string, TimeoutPolicy>> {
  const types = Object.keys(fields)
  if (types.length > TIMEOUT_POLICIES_PER_QUEUE_MAX) {
    tooLarge('timeouts', `may name ${TIMEOUT_POLICIES_PER_QUEUE_MAX} types, got ${types.length}`)
  }
  const policies: Record<string, TimeoutPolicy> = {}
  for (const type of types) {
    try {
      requireKey(type, TASK_TYPE)
      policies[type] = parseTimeoutPolicy(type, fields[type])
    } catch (error) {
      throw within(error, 'timeouts')
    }
  }
  return policies
}

function parseTimeoutPolicy(type: string, value: unknown): TimeoutPolicy {
  try {
    return policyOf(requireMap(value, ''))
  } catch (error) {
    throw within(error, type)
  }
}

function policyOf(fields: Fields): TimeoutPolicy {
  const kind = requireWord(fields['kind'], 'kind', POLICY_KINDS)
  refuseUnknown(fields, POLICY_FIELDS[kind])
  switch (kind) {
    case 'fixed':
      return { kind, ms: requireInteger(fields['ms'], 'ms', TIMEOUT) }
    case 'duration-hint':
      return { kind, factor: requireNumber(fields['factor'], 'factor', FACTOR), ...bounds(fields) }
    case 'size-hint':
      return {
        kind,
        msPerMiB: requireNumber(fields['msPerMiB'], 'msPerMiB', TIMEOUT),
        ...bounds(fields),
      }
    default:
      return unreachable(kind)
  }
}

function bounds(fields: Fields): { readonly floorMs: number; readonly ceilingMs: number } {
  const floorMs = requireInteger(fields['floorMs'], 'floorMs', TIMEOUT)
  const ceilingMs = requireInteger(fields['ceilingMs'], 'ceilingMs', TIMEOUT)
  if (floorMs <= ceilingMs) return { floorMs, ceilingMs }
  return badField('floorMs', `must not be above ceilingMs, ${ceilingMs}, got ${floorMs}`)
}
