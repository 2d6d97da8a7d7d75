// How long to wait before trying again: exponential with full jitter.

export interface Backoff {
  /** Longest wait after the first failure, in ms. */
  readonly baseMs: number
  /** Longest wait ever, in ms. */
  readonly capMs: number
}

/**
 * The wait after the n-th failure in a row (n from 1), in whole ms. Full jitter: a broker that
 * restarts must not meet all its clients in the same instant.
 * @param chance A random number in [0, 1).
 */
export function backoffMs(backoff: Backoff, failures: number, chance: number): number {
  const exponent = Math.min(failures - 1, 30) // 2^30 ms is far over any cap
  return Math.floor(chance * Math.min(backoff.capMs, backoff.baseMs * 2 ** exponent))
}
