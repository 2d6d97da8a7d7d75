// What many tasks have in common, kept once: queue, type, requirements, limits and retry policy.

import { DEFAULT_RETRY, type Labels, type RetryPolicy, type TaskOptions } from '@tq/core'
import { DEFAULT_QUEUE_SETTINGS, type Queue, requirementsKey } from './queue.ts'

export interface Profile {
  readonly queue: Queue
  readonly type: string
  readonly requires: Labels | undefined
  readonly maxAttempts: number
  readonly maxLost: number
  readonly retry: RetryPolicy
  /** Canonical text: the same profile has the same text. It is also what the disk holds. */
  readonly text: string
  /** Number in the profile table; -1 while no task uses it. */
  index: number
  /** Tasks that use it. */
  uses: number
}

/** What the text of a profile says. Left out is what has the value of version 1's defaults. */
interface ProfileText {
  readonly q: number
  readonly t: string
  readonly r?: readonly (readonly [string, string | number | boolean])[]
  readonly a?: number
  readonly l?: number
  readonly p?: RetryPolicy
}

/** Resolves a task's options against the settings of its queue. Settled once, at the enqueue. */
export function profileOf(queue: Queue, type: string, options: TaskOptions | undefined): Profile {
  const settings = queue.settings
  const requires =
    options?.requires === undefined || Object.keys(options.requires).length === 0
      ? undefined
      : options.requires
  const retry: RetryPolicy =
    options?.retry === undefined ? settings.retry : { ...settings.retry, ...options.retry }
  const maxAttempts = options?.maxAttempts ?? settings.maxAttempts
  const maxLost = options?.maxLost ?? settings.maxLost
  const text = profileText({ queue, type, requires, retry, maxAttempts, maxLost })
  return { queue, type, requires, maxAttempts, maxLost, retry, text, index: -1, uses: 0 }
}

/** True if the options say nothing that a profile holds. */
export function isPlain(options: TaskOptions | undefined): boolean {
  return (
    options === undefined ||
    (options.requires === undefined &&
      options.retry === undefined &&
      options.maxAttempts === undefined &&
      options.maxLost === undefined)
  )
}

/** The inverse of a profile's text. The queue must be known by its number. */
export function parseProfile(
  text: string,
  queueOf: (number: number) => Queue | undefined,
): Profile | undefined {
  const fields = JSON.parse(text) as ProfileText
  const queue = queueOf(fields.q)
  if (queue === undefined) return undefined
  return {
    queue,
    type: fields.t,
    requires: fields.r === undefined ? undefined : Object.fromEntries(fields.r),
    maxAttempts: fields.a ?? DEFAULT_QUEUE_SETTINGS.maxAttempts,
    maxLost: fields.l ?? DEFAULT_QUEUE_SETTINGS.maxLost,
    retry: fields.p ?? DEFAULT_RETRY,
    text,
    index: -1,
    uses: 0,
  }
}

function profileText(
  profile: Pick<Profile, 'queue' | 'type' | 'requires' | 'retry' | 'maxAttempts' | 'maxLost'>,
): string {
  const key = requirementsKey(profile.requires)
  const fields: Record<string, unknown> = { q: profile.queue.number, t: profile.type }
  if (key !== '') fields['r'] = JSON.parse(key)
  if (profile.maxAttempts !== DEFAULT_QUEUE_SETTINGS.maxAttempts) fields['a'] = profile.maxAttempts
  if (profile.maxLost !== DEFAULT_QUEUE_SETTINGS.maxLost) fields['l'] = profile.maxLost
  if (!isDefaultRetry(profile.retry)) fields['p'] = canonicalRetry(profile.retry)
  return JSON.stringify(fields)
}

function canonicalRetry(retry: RetryPolicy): RetryPolicy {
  const { kind, baseMs, factor, capMs, jitter, notRetryable } = retry
  return { kind, baseMs, factor, capMs, jitter, notRetryable }
}

function isDefaultRetry(retry: RetryPolicy): boolean {
  return (
    retry === DEFAULT_RETRY ||
    JSON.stringify(canonicalRetry(retry)) === JSON.stringify(DEFAULT_RETRY)
  )
}
