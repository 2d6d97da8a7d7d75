// How long one attempt may run: a policy per task type, kept with the queue.

import { TIMEOUT_MS_MAX, TIMEOUT_MS_MIN } from './limits.ts'

export type TimeoutPolicy =
  | { readonly kind: 'fixed'; readonly ms: number }
  | {
      /** Hinted duration times `factor`, between `floorMs` and `ceilingMs`. */
      readonly kind: 'duration-hint'
      readonly factor: number
      readonly floorMs: number
      readonly ceilingMs: number
    }
  | {
      /** Hinted size in MiB times `msPerMiB`, between `floorMs` and `ceilingMs`. */
      readonly kind: 'size-hint'
      readonly msPerMiB: number
      readonly floorMs: number
      readonly ceilingMs: number
    }

export const DEFAULT_TIMEOUT_MS: number = 3_600_000

/** What the producer knows about the work; absent hints give a policy its ceiling. */
export interface TimeoutHints {
  readonly timeoutMs?: number | undefined
  readonly durationHintMs?: number | undefined
  readonly sizeHintBytes?: number | undefined
}

/**
 * The execution timeout of a task in ms. The task's own `timeoutMs` wins over the policy of its
 * type; without either it is {@link DEFAULT_TIMEOUT_MS}.
 */
export function executionTimeoutMs(policy: TimeoutPolicy | undefined, hints: TimeoutHints): number {
  const ms = hints.timeoutMs ?? policyMs(policy, hints)
  return Math.min(TIMEOUT_MS_MAX, Math.max(TIMEOUT_MS_MIN, Math.round(ms)))
}

function policyMs(policy: TimeoutPolicy | undefined, hints: TimeoutHints): number {
  if (policy === undefined) return DEFAULT_TIMEOUT_MS
  switch (policy.kind) {
    case 'fixed':
      return policy.ms
    case 'duration-hint':
      return hints.durationHintMs === undefined
        ? policy.ceilingMs
        : clamp(hints.durationHintMs * policy.factor, policy)
    case 'size-hint':
      return hints.sizeHintBytes === undefined
        ? policy.ceilingMs
        : clamp((hints.sizeHintBytes / 2 ** 20) * policy.msPerMiB, policy)
  }
}

function clamp(
  ms: number,
  bounds: { readonly floorMs: number; readonly ceilingMs: number },
): number {
  return Math.min(bounds.ceilingMs, Math.max(bounds.floorMs, ms))
}
