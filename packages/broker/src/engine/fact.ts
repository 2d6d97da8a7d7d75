// Everything that may happen, as past-tense records. Memory, disk, journal and metrics read the same.

import type {
  QueueSettings,
  Reason,
  TaskError,
  TaskIdBytes,
  TaskOptions,
  TerminalState,
} from '@tq/core'
import type { Profile } from './profile.ts'
import type { Row } from './rows.ts'
import type { WorkerInfo } from './session.ts'

/** How one attempt went: what a chapter of history tells. Times are wall ms. */
export interface AttemptRecord {
  readonly attempt: number
  readonly token: number
  readonly worker: string
  /** Index of the session while the process lives; -1 in what was read from disk. */
  readonly session: number
  readonly assignedAtMs: number
  /** 0 if it was never started. */
  readonly startedAtMs: number
}

export interface TaskEnqueued {
  readonly kind: 'task-enqueued'
  readonly id: TaskIdBytes
  readonly profile: Profile
  readonly payload: Uint8Array
  readonly options: TaskOptions | undefined
  readonly priority: number
  readonly atMs: number
  readonly sequence: number
  /** Wall ms of the due time; 0 if ready at once. */
  readonly dueAtMs: number
  /** Wall ms; 0 for never. */
  readonly expiresAtMs: number
  readonly timeoutMs: number
  /** Hash of the request, if it came with an idempotency key. */
  readonly requestHash: Uint8Array | undefined
  readonly actor: string
}
/** Its delay or backoff ended. Not durable: a restart finds it out again from the due time. */
export interface TaskDue {
  readonly kind: 'task-due'
  readonly task: Row
}
export interface TaskLeased {
  readonly kind: 'task-leased'
  readonly task: Row
  readonly session: number
  readonly token: number
  readonly claim: number
  readonly leaseMs: number
  readonly endTickMs: number
  /** Tick ms at which the attempt has run too long; 0 if it was only assigned. */
  readonly deadlineTickMs: number
  readonly atMs: number
}
export interface TaskStarted {
  readonly kind: 'task-started'
  readonly task: Row
  readonly deadlineTickMs: number
  readonly atMs: number
}
/** An attempt ended without a result and the task is ready again. */
export interface TaskReleased {
  readonly kind: 'task-released'
  readonly task: Row
  readonly reason: Reason
  /** True if this counts as a loss of the worker. */
  readonly lost: boolean
  readonly attempt: AttemptRecord
  readonly atMs: number
  readonly actor: string
}
/** An attempt failed and the task waits for its next one. */
export interface TaskRetried {
  readonly kind: 'task-retried'
  readonly task: Row
  readonly reason: Reason
  readonly error: TaskError | undefined
  /** Tick ms at which it becomes ready again. */
  readonly dueTickMs: number
  readonly attempt: AttemptRecord
  readonly atMs: number
  readonly actor: string
}
export interface TaskEnded {
  readonly kind: 'task-ended'
  readonly task: Row
  readonly state: TerminalState
  readonly reason: Reason
  readonly result: Uint8Array | undefined
  readonly error: TaskError | undefined
  /** What the person said who ended it. */
  readonly note: string | undefined
  /** The attempt that ended with it; undefined if nobody held the task. */
  readonly attempt: AttemptRecord | undefined
  /** What the attempt itself counts as. */
  readonly counts: 'failure' | 'loss' | 'nothing'
  readonly atMs: number
  readonly actor: string
}
export interface TaskCancelRequested {
  readonly kind: 'task-cancel-requested'
  readonly task: Row
  readonly note: string | undefined
  readonly atMs: number
  readonly actor: string
}
export interface TaskReprioritised {
  readonly kind: 'task-reprioritised'
  readonly task: Row
  readonly priority: number
  readonly atMs: number
  readonly actor: string
}
/** How a terminal task ended. */
export interface EndRecord {
  readonly state: TerminalState
  readonly reason: Reason
  readonly atMs: number
  readonly result: Uint8Array | undefined
  readonly error: TaskError | undefined
  readonly note: string | undefined
  readonly attempt: AttemptRecord | undefined
  readonly actor: string
}
/** What is left of a task that has ended: enough to describe it and to give it a new life. */
export interface EndedTask {
  readonly id: TaskIdBytes
  readonly profile: Profile
  readonly priority: number
  readonly failures: number
  readonly losses: number
  readonly generation: number
  readonly chapters: number
  readonly sequence: number
  readonly createdAtMs: number
  readonly payloadBytes: number
  readonly timeoutMs: number
  readonly keyed: boolean
  readonly end: EndRecord
}
/** A terminal task lives again: same id, next generation, attempts counted from the start. */
export interface TaskRedriven {
  readonly kind: 'task-redriven'
  /** The task as it had ended; its end becomes a chapter of its history. */
  readonly ended: EndedTask
  readonly atMs: number
  readonly actor: string
}
/** A waiting task was removed without a trace but this. */
export interface TaskPurged {
  readonly kind: 'task-purged'
  readonly task: Row
  readonly atMs: number
  readonly actor: string
  readonly note: string | undefined
}
export interface QueueCreated {
  readonly kind: 'queue-created'
  readonly number: number
  readonly name: string
  readonly settings: QueueSettings
  readonly atMs: number
  readonly actor: string
}
export interface QueueChanged {
  readonly kind: 'queue-changed'
  readonly number: number
  readonly settings: QueueSettings
  readonly paused: boolean
  readonly pauseReason: string | undefined
  readonly atMs: number
  readonly actor: string
}
/** A session that must be known after a restart: it registered as a worker or got its first lease. */
export interface SessionOpened {
  readonly kind: 'session-opened'
  readonly id: Uint8Array
  readonly principal: string
  readonly worker: WorkerInfo | undefined
  readonly tickMs: number
  readonly atMs: number
}
export interface SessionClosed {
  readonly kind: 'session-closed'
  readonly session: number
  readonly id: Uint8Array
  readonly reason: 'left' | 'dead' | 'idle'
  readonly atMs: number
}
/** A worker went silent: its leases have ended, its entry stays until it is cleaned up. */
export interface WorkerLost {
  readonly kind: 'worker-lost'
  readonly session: number
  readonly leases: number
  readonly atMs: number
}
export interface LeaseRenewed {
  readonly kind: 'lease-renewed'
  readonly lease: Row
  readonly endTickMs: number
}
/** The broker itself stood still: no worker shall pay for that. */
export interface LeasesExtended {
  readonly kind: 'leases-extended'
  readonly byMs: number
}
export interface SessionSeen {
  readonly kind: 'session-seen'
  readonly session: number
  readonly tickMs: number
}
export interface TaskProgressed {
  readonly kind: 'task-progressed'
  readonly lease: Row
  readonly percent: number | undefined
  readonly note: string | undefined
}
/** Nothing happened for long enough that the tick clock itself must be written down. */
export interface ClockTicked {
  readonly kind: 'clock-ticked'
  readonly tickMs: number
}

export type Fact =
  | TaskEnqueued
  | TaskDue
  | TaskLeased
  | TaskStarted
  | TaskReleased
  | TaskRetried
  | TaskEnded
  | TaskCancelRequested
  | TaskReprioritised
  | TaskRedriven
  | TaskPurged
  | QueueCreated
  | QueueChanged
  | SessionOpened
  | SessionClosed
  | WorkerLost
  | LeaseRenewed
  | LeasesExtended
  | SessionSeen
  | TaskProgressed
  | ClockTicked

export type FactKind = Fact['kind']

/**
 * Which facts a commit must hold before anybody hears of them. An ephemeral one is lost with the
 * process, and nothing promised depends on it.
 */
export const FACT_KINDS: Readonly<
  Record<FactKind, { readonly code: number; readonly durable: boolean }>
> = {
  'task-enqueued': { code: 1, durable: true },
  'task-due': { code: 2, durable: false },
  'task-leased': { code: 3, durable: true },
  'task-started': { code: 4, durable: true },
  'task-released': { code: 5, durable: true },
  'task-retried': { code: 6, durable: true },
  'task-ended': { code: 7, durable: true },
  'task-cancel-requested': { code: 8, durable: true },
  'task-reprioritised': { code: 9, durable: true },
  'task-redriven': { code: 10, durable: true },
  'task-purged': { code: 11, durable: true },
  'queue-created': { code: 12, durable: true },
  'queue-changed': { code: 13, durable: true },
  'session-opened': { code: 14, durable: true },
  'session-closed': { code: 15, durable: true },
  'worker-lost': { code: 16, durable: true },
  'lease-renewed': { code: 17, durable: false },
  'leases-extended': { code: 18, durable: false },
  'session-seen': { code: 19, durable: false },
  'task-progressed': { code: 20, durable: false },
  'clock-ticked': { code: 21, durable: true },
}
