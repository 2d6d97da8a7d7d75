// When a failed task may run again: policies as data, delays as a pure function.

export type RetryKind = 'exponential' | 'linear' | 'fixed'

export interface RetryPolicy {
  readonly kind: RetryKind
  /** Delay after the first failure, in ms. */
  readonly baseMs: number
  /** Growth per failure of an exponential policy; the others ignore it. */
  readonly factor: number
  /** Longest delay before jitter, in ms. */
  readonly capMs: number
  /** Share of the delay that chance may add or take away, 0 to 1. */
  readonly jitter: number
  /** Error types after which no retry is made. */
  readonly notRetryable: readonly string[]
}

export const DEFAULT_RETRY: RetryPolicy = {
  kind: 'exponential',
  baseMs: 5_000,
  factor: 2,
  capMs: 3_600_000,
  jitter: 0.1,
  notRetryable: [],
}

/**
 * Delay before the next attempt, in whole ms, never negative.
 * @param failures How often the task has failed so far, 1 or more.
 * @param chance A random number in [0, 1); 0.5 gives the delay without jitter.
 */
export function retryDelayMs(policy: RetryPolicy, failures: number, chance: number): number {
  const delayMs = Math.min(policy.capMs, uncappedDelayMs(policy, failures))
  return Math.max(0, Math.round(delayMs * (1 + policy.jitter * (2 * chance - 1))))
}

function uncappedDelayMs(policy: RetryPolicy, failures: number): number {
  switch (policy.kind) {
    case 'fixed':
      return policy.baseMs
    case 'linear':
      return policy.baseMs * failures
    case 'exponential':
      return policy.baseMs * policy.factor ** (failures - 1)
  }
}

/** True if an error of this type should be tried again. */
export function isRetryable(policy: RetryPolicy, errorType: string | undefined): boolean {
  return errorType === undefined || !policy.notRetryable.includes(errorType)
}
