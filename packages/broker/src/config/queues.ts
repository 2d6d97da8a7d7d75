// The options of queues: how they come into being, and the settings they are created with.

import {
  DEFAULT_RETRY,
  limits,
  type QueueSettings,
  type RetryPolicy,
  type TimeoutPolicy,
} from '@tq/core'
import { z } from 'zod'
import {
  choice,
  decimalNumber,
  flag,
  group,
  innerNumber,
  strictMap,
  structure,
  wholeNumber,
} from './option.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../engine/queue.ts'

const DELAY = { min: 0, max: limits.DELAY_MS_MAX, unit: 'ms' } as const
const ATTEMPTS = { min: 1, max: limits.ATTEMPTS_MAX, unit: 'count' } as const
const RETENTION_AGE = { min: 0, max: limits.RETENTION_MS_MAX, unit: 'ms' } as const
const RETENTION_COUNT = { min: 0, max: limits.RETENTION_COUNT_MAX, unit: 'count' } as const

const TIMEOUT = { min: limits.TIMEOUT_MS_MIN, max: limits.TIMEOUT_MS_MAX, unit: 'ms' } as const
const timeoutMs = innerNumber({ ...TIMEOUT, isWhole: true })
const bounds = { floorMs: timeoutMs, ceilingMs: timeoutMs }
const timeoutPolicy = z
  .discriminatedUnion(
    'kind',
    [
      strictMap({ kind: z.literal('fixed'), ms: timeoutMs }),
      strictMap({
        kind: z.literal('duration-hint'),
        factor: innerNumber({ min: 0, max: limits.TIMEOUT_FACTOR_MAX, unit: 'factor' }),
        ...bounds,
      }),
      strictMap({
        kind: z.literal('size-hint'),
        msPerMiB: innerNumber(TIMEOUT),
        ...bounds,
      }),
    ],
    { error: 'must be a map with kind fixed, duration-hint or size-hint' },
  )
  .refine((policy) => policy.kind === 'fixed' || policy.floorMs <= policy.ceilingMs, {
    error: 'must have a floorMs that is not above its ceilingMs',
  })
const timeoutPolicies: z.ZodType<Readonly<Record<string, TimeoutPolicy>>> = z
  .record(z.string().min(1).max(limits.TASK_TYPE_BYTES_MAX), timeoutPolicy)
  .refine((policies) => Object.keys(policies).length <= limits.TIMEOUT_POLICIES_PER_QUEUE_MAX, {
    error: `must name at most ${limits.TIMEOUT_POLICIES_PER_QUEUE_MAX} types`,
  })
const errorTypes: z.ZodType<readonly string[]> = z
  .array(z.string().min(1).max(limits.ERROR_TYPE_BYTES_MAX))
  .max(limits.NOT_RETRYABLE_TYPES_MAX)

const retry: z.ZodType<RetryPolicy> = group(
  'When a failed task is offered again, unless the task says otherwise.',
  {
    kind: choice({
      initial: DEFAULT_RETRY.kind,
      choices: ['exponential', 'linear', 'fixed'],
      help: 'How the delay grows with each failure.',
    }),
    baseMs: wholeNumber({
      ...DELAY,
      initial: DEFAULT_RETRY.baseMs,
      help: 'Delay after the first failure.',
    }),
    factor: decimalNumber({
      min: 1,
      max: 100,
      unit: 'factor',
      initial: DEFAULT_RETRY.factor,
      help: 'Growth per failure of an exponential delay; the other kinds ignore it.',
    }),
    capMs: wholeNumber({
      ...DELAY,
      initial: DEFAULT_RETRY.capMs,
      help: 'Longest delay before jitter.',
    }),
    jitter: decimalNumber({
      min: 0,
      max: 1,
      unit: 'factor',
      initial: DEFAULT_RETRY.jitter,
      help: 'Share of the delay that chance may add or take away, so that retries spread out.',
    }),
    notRetryable: structure(errorTypes, {
      initial: DEFAULT_RETRY.notRetryable,
      expected: `a list of at most ${limits.NOT_RETRYABLE_TYPES_MAX} names of error types`,
      help: 'Error types after which a task is dead at once, such as [ValidationError].',
    }),
  },
)

const queueDefaults: z.ZodType<QueueSettings> = group(
  'Settings of queues that are created by first use; queueSet of the SDK changes those of one queue.',
  {
    order: choice({
      initial: DEFAULT_QUEUE_SETTINGS.order,
      choices: ['aging', 'strict'],
      help: 'aging: waiting makes a task more urgent. strict: by priority, then first in, first out.',
    }),
    agingMsPerLevel: wholeNumber({
      ...DELAY,
      initial: DEFAULT_QUEUE_SETTINGS.agingMsPerLevel,
      help: 'Waiting this long is worth one level of priority.',
    }),
    tasksMax: wholeNumber({
      min: 1,
      max: limits.TASKS_PER_QUEUE_MAX,
      unit: 'count',
      initial: DEFAULT_QUEUE_SETTINGS.tasksMax,
      help: 'Most live tasks of one queue; enqueue is refused beyond.',
    }),
    maxAttempts: wholeNumber({
      ...ATTEMPTS,
      initial: DEFAULT_QUEUE_SETTINGS.maxAttempts,
      help: 'Failures after which a task is dead.',
    }),
    maxLost: wholeNumber({
      ...ATTEMPTS,
      initial: DEFAULT_QUEUE_SETTINGS.maxLost,
      help: 'Lost workers after which a task is dead: it may be what kills them.',
    }),
    retry,
    retentionMs: wholeNumber({
      ...RETENTION_AGE,
      initial: DEFAULT_QUEUE_SETTINGS.retentionMs,
      help: 'How long completed, cancelled and expired tasks are kept; 0 keeps none.',
    }),
    retentionCount: wholeNumber({
      ...RETENTION_COUNT,
      initial: DEFAULT_QUEUE_SETTINGS.retentionCount,
      help: 'How many of them are kept in one queue; 0 keeps none.',
    }),
    deadRetentionMs: wholeNumber({
      ...RETENTION_AGE,
      initial: DEFAULT_QUEUE_SETTINGS.deadRetentionMs,
      help: 'How long dead tasks wait for a person; 0 keeps none.',
    }),
    deadRetentionCount: wholeNumber({
      ...RETENTION_COUNT,
      initial: DEFAULT_QUEUE_SETTINGS.deadRetentionCount,
      help: 'How many dead tasks are kept in one queue; 0 keeps none.',
    }),
    timeouts: structure(timeoutPolicies, {
      initial: DEFAULT_QUEUE_SETTINGS.timeouts,
      expected: 'a map from task types to timeout policies',
      help:
        'How long one attempt may run, by task type, * for all others, such as ' +
        '{ video: { kind: fixed, ms: 7200000 } }. Without a policy it is an hour.',
    }),
  },
)

export const queues = group('How queues come into being.', {
  autoCreate: flag({
    initial: true,
    help: 'Create a queue when a task first names it. Otherwise queueSet of the SDK must set it up.',
  }),
  defaults: queueDefaults,
})
