// What a client process is told: which part it plays, for whom, and where it writes its history.

import type { QueueSettings } from '@tq/core'
import { QUEUE_ATTEMPTS, QUEUE_LOSSES } from './wire-tap.ts'

export interface ClientRole {
  readonly part: 'producer' | 'worker' | 'adversary'
  readonly name: string
  /** `host:port` of the proxy in front of the broker. */
  readonly address: string
  /** Which a producer fills, a worker claims from, and an adversary meddles with. */
  readonly queues: readonly string[]
  /** An adversary fills and claims from this one alone, until there is peace. */
  readonly ownQueue: string
  /** `host:port` where an adversary has its last words: the broker may be killed with the answer. */
  readonly tripWire: string
  readonly seed: number
  readonly history: string
  /** Where the tap of a worker's heartbeat thread is, and what it writes. */
  readonly heartbeatTap: string
  readonly heartbeatHistory: string
  /** Tasks a second that a producer makes at most. */
  readonly tasksPerSecond: number
}

/** Short, so that a worker that stands still for a moment is a zombie when it goes on. */
export const LEASE_MS = 1_200

/** How long a worker's claim waits for work. */
export const CLAIM_WAIT_MS = 1_000

/**
 * No task can be lost sooner than this after it was leased or its lease renewed: a lease is longer,
 * and a session is dead after 2 s of silence, of which a claim that waits takes no more than one.
 */
export const LOSS_MS_MIN = 900

export const QUEUE_SETTINGS: Partial<QueueSettings> = {
  maxAttempts: QUEUE_ATTEMPTS,
  maxLost: QUEUE_LOSSES,
  retry: { kind: 'fixed', baseMs: 60, factor: 1, capMs: 60, jitter: 0.5, notRetryable: [] },
  retentionCount: 2_000_000,
  deadRetentionCount: 2_000_000,
}
