// What the reference model knows of a task, a queue, a session and an idempotency key.

import type { Labels, QueueSettings, Reason, TaskState, TerminalState } from '@tq/core'

export interface ModelLease {
  readonly session: string
  readonly token: number
  readonly claim: number
  readonly leaseMs: number
  readonly endTickMs: number
  /** Since when it has its full time, on the world's clock: whatever the broker itself counts. */
  readonly renewedAtMs: number
  readonly deadlineTickMs: number
  /** By how much stalls have moved the deadline: that is not written down at once. */
  readonly extendedMs: number
  readonly assignedAtMs: number
  readonly startedAtMs: number
  /** Number of the world's event in which it was granted. */
  readonly event: number
}

export interface ModelEnd {
  readonly state: TerminalState
  readonly reason: Reason
  readonly atMs: number
  /** Token of the attempt that ended with it. */
  readonly token: number | undefined
  readonly result: Uint8Array | undefined
}

/** One task as it is now; each change makes a new object, so a copy of the model is cheap. */
export interface ModelTask {
  readonly id: string
  readonly queue: string
  readonly type: string
  readonly payload: Uint8Array
  readonly requires: Labels | undefined
  readonly maxAttempts: number
  readonly maxLost: number
  readonly state: TaskState
  /** The waiting state it left by becoming due, until a commit has written that down. */
  readonly dueFrom: 'scheduled' | 'retrying' | undefined
  readonly priority: number
  readonly failures: number
  readonly losses: number
  readonly generation: number
  readonly chapters: number
  readonly sequence: number
  readonly rankBaseMs: number
  readonly dueAt: number
  readonly expiresAtMs: number
  readonly createdAtMs: number
  readonly timeoutMs: number
  readonly cancelRequested: boolean
  readonly lease: ModelLease | undefined
  /** Every token that ever held it, oldest first. */
  readonly tokens: readonly number[]
  readonly end: ModelEnd | undefined
  /** The task has ended and its records are on disk. */
  readonly kept: boolean
  readonly purged: boolean
}

export interface ModelQueue {
  readonly number: number
  readonly name: string
  readonly settings: QueueSettings
  readonly paused: boolean
}

export interface ModelSession {
  readonly key: string
  readonly principal: string
  readonly isWorker: boolean
  readonly labels: Labels | undefined
  readonly seenAtMs: number
}

export interface ModelKey {
  readonly id: string
  readonly hash: string
  readonly atMs: number
  /** The same on the world's clock. */
  readonly monotonicMs: number
}

/** Stands for a task that should be known and is not. */
export const NOBODY: ModelTask = {
  id: '',
  queue: '',
  type: '',
  payload: new Uint8Array(0),
  requires: undefined,
  maxAttempts: 1,
  maxLost: 1,
  state: 'queued',
  dueFrom: undefined,
  priority: 0,
  failures: 0,
  losses: 0,
  generation: 0,
  chapters: 0,
  sequence: 0,
  rankBaseMs: 0,
  dueAt: 0,
  expiresAtMs: 0,
  createdAtMs: 0,
  timeoutMs: 0,
  cancelRequested: false,
  lease: undefined,
  tokens: [],
  end: undefined,
  kept: false,
  purged: false,
}
