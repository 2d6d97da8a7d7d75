// What the broker answers to each verb, as it stands on the wire. docs/protocol.md is the contract.

import type { ErrorCode } from '../error.ts'
import type { Reason, TaskState } from '../state.ts'
import type { TaskIdBytes } from '../task-id.ts'
import type { Labels, QueueSettings, TaskError, Verb } from './request.ts'

/** What was wrong with one item of a request that judges each item by itself. */
export type ItemRefusal = readonly [index: number, code: ErrorCode, message: string]

/** Answer to a verb whose items are judged one by one. Items that are not named went well. */
export interface ItemsReply {
  /** Items that were carried out now. */
  readonly ok: number
  /** Indexes of items that had happened before: nothing changed. */
  readonly already?: readonly number[]
  readonly refused?: readonly ItemRefusal[]
}

/** What goes with a claimed task beside its payload; what has its default is left out. */
export interface ClaimedExtra {
  readonly priority?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly trace?: { readonly traceparent: string; readonly tracestate?: string }
  /** Execution timeout of this attempt in ms; always there. */
  readonly timeoutMs: number
  readonly failures?: number
  readonly losses?: number
  /** The claim was re-sent and somebody has asked to cancel this task meanwhile. */
  readonly cancelRequested?: boolean
}

export type ClaimedTask = readonly [
  id: TaskIdBytes,
  token: number,
  queue: string,
  type: string,
  attempt: number,
  payload: Uint8Array,
  extra: ClaimedExtra,
]

/** Why a worker must stop a task it holds. */
export type StopReason = 'cancelled' | 'timed_out' | 'lost' | 'unknown'
export type StopOrder = readonly [id: TaskIdBytes, token: number, reason: StopReason]

/** One chapter of a task's history: from becoming ready to the end of the attempt. */
export interface HistoryChapter {
  readonly attempt: number
  readonly generation: number
  readonly transitions: readonly {
    readonly state: TaskState
    readonly reason: Reason
    readonly atMs: number
  }[]
  /** Name or session of who held it. */
  readonly worker?: string
  readonly token?: number
  readonly error?: TaskError
}

export interface TaskDescription {
  readonly id: TaskIdBytes
  readonly queue: string
  readonly type: string
  readonly state: TaskState
  readonly priority: number
  readonly attempt: number
  readonly failures: number
  readonly losses: number
  readonly generation: number
  readonly maxAttempts: number
  readonly maxLost: number
  readonly createdAtMs: number
  readonly timeoutMs: number
  readonly payloadBytes: number
  readonly requires?: Labels
  readonly headers?: Readonly<Record<string, string>>
  readonly trace?: { readonly traceparent: string; readonly tracestate?: string }
  readonly idempotencyKey?: string
  /** Due time of a scheduled or retrying task. */
  readonly dueAtMs?: number
  readonly expiresAtMs?: number
  readonly cancelRequested?: boolean
  /** The lease of a held task. */
  readonly lease?: {
    readonly session: Uint8Array
    readonly worker: string
    readonly token: number
    readonly remainingMs: number
    readonly assignedAtMs: number
    readonly startedAtMs?: number
    readonly percent?: number
    readonly note?: string
  }
  /** How a terminal task ended. */
  readonly end?: {
    readonly atMs: number
    readonly reason: Reason
    readonly result?: Uint8Array
    readonly error?: TaskError
    /** What the person said who cancelled it. */
    readonly note?: string
  }
  readonly history?: readonly HistoryChapter[]
  readonly payload?: Uint8Array
}

/** A row of a list: a description without history, payload and result. */
export interface TaskRow {
  readonly id: TaskIdBytes
  readonly queue: string
  readonly type: string
  readonly state: TaskState
  readonly priority: number
  readonly attempt: number
  readonly createdAtMs: number
  readonly dueAtMs?: number
  readonly endedAtMs?: number
  readonly worker?: string
}

export interface QueueStats {
  readonly queue: string
  readonly paused: boolean
  readonly pauseReason?: string
  readonly scheduled: number
  readonly queued: number
  readonly assigned: number
  readonly running: number
  readonly retrying: number
  /** Kept terminal tasks; null until they have been counted after a start. */
  readonly kept: number | null
  readonly dead: number | null
  /** How long the oldest ready task has waited, in ms; absent if none is ready. */
  readonly oldestReadyAgeMs?: number
  /** Since the broker started. */
  readonly enqueuedTotal: number
  readonly completedTotal: number
  readonly failedTotal: number
  readonly deadTotal: number
  readonly lostTotal: number
  /** Claims that are parked on this queue now. */
  readonly waitingClaims: number
  /** Only if the request named the queue. */
  readonly settings?: QueueSettings
}

export interface WorkerStats {
  readonly session: Uint8Array
  readonly name: string
  readonly version: string
  readonly labels: Labels
  readonly slots: number
  readonly leases: number
  readonly lastSeenAgoMs: number
  readonly health: 'ok' | 'late'
  readonly principal: string
}

export interface BrokerStats {
  readonly version: string
  readonly epoch: number
  readonly lsn: number
  readonly uptimeMs: number
  readonly tasks: number
  readonly workers: number
  readonly connections: number
  /** How well it goes; only from brokers that tell of it. */
  readonly health?: BrokerHealth
}

/** What a person, or a doctor, looks at first. Limits stand beside what they bound. */
export interface BrokerHealth {
  /** Why the broker wants no new work; empty if it is ready. */
  readonly notReady: readonly string[]
  /** Of the last thousand commits, in ms; absent before the first. */
  readonly commitMsP50?: number
  readonly commitMsP99?: number
  readonly commitMsLimit: number
  /** Absent where the disk cannot be measured. */
  readonly freeBytes?: number
  readonly freeBytesMin: number
  readonly journalBytes: number
  readonly journalBytesMax: number
  /** 99th percentile of how late the event loop was within the last one to two minutes, in ms. */
  readonly loopDelayMsP99: number
  readonly tasksMax: number
  readonly connectionsMax: number
  readonly sessions: number
  /** Since the start: records that failed their checksum, and times that the process stood still. */
  readonly damagedRecords: number
  readonly stalls: number
}

export interface StartupStep {
  readonly name: string
  readonly ms: number
  readonly counts: Readonly<Record<string, number>>
}

export interface StartupReport {
  readonly startedAtMs: number
  readonly totalMs: number
  readonly epoch: number
  readonly lsn: number
  /** The step at which the start before this one was cut off, if it was. */
  readonly abortedBefore?: string
  readonly steps: readonly StartupStep[]
  readonly warnings: readonly string[]
}

export interface Replies {
  hello: {
    readonly protocol: number
    readonly broker: { readonly name: string; readonly version: string; readonly epoch: number }
    readonly session: Uint8Array
    readonly principal: string
    /** How often a worker should send a heartbeat, and when it is held for dead, in ms. */
    readonly heartbeatMs: number
    readonly workerDeadMs: number
    readonly wallMs: number
    readonly limits: {
      readonly frameBytesMax: number
      readonly payloadBytesMax: number
      readonly resultBytesMax: number
      readonly itemsMax: number
      readonly inFlightMax: number
    }
  }
  ping: { readonly wallMs: number }
  abort: { readonly aborted: boolean }
  register: { readonly worker: Uint8Array }
  leave: { readonly released: number }
  enqueue: {
    readonly count: number
    /** All ids in order; only if the broker made at least one or an idempotency key matched. */
    readonly ids?: readonly TaskIdBytes[]
    /** Indexes of tasks that existed before. */
    readonly existing?: readonly number[]
  }
  claim: {
    readonly tasks: readonly ClaimedTask[]
    /** What is left of the shortest of these leases, in ms, when the reply was encoded. */
    readonly leaseMs: number
  }
  start: ItemsReply
  heartbeat: { readonly stop?: readonly StopOrder[]; readonly released?: number }
  progress: ItemsReply
  complete: ItemsReply
  fail: ItemsReply & {
    /** For each item: what became of the task, and for `retrying` in how many ms; nil if refused. */
    readonly outcomes: readonly ([state: TaskState, delayMs: number] | null)[]
  }
  release: ItemsReply
  cancel: ItemsReply & {
    /** For each item `cancelled`, or `requested` if its worker has to confirm; nil if refused. */
    readonly outcomes: readonly ('cancelled' | 'requested' | null)[]
  }
  redrive: ItemsReply
  'set-priority': ItemsReply
  get: TaskDescription
  wait: { readonly done: boolean; readonly task?: TaskDescription }
  list: { readonly tasks: readonly TaskRow[]; readonly cursor: string | null }
  stats: { readonly queues: readonly QueueStats[]; readonly broker: BrokerStats }
  workers: { readonly workers: readonly WorkerStats[] }
  'startup-log': { readonly reports: readonly StartupReport[] }
  'queue-set': { readonly settings: QueueSettings }
  'queue-pause': { readonly changed: boolean }
  'queue-resume': { readonly changed: boolean }
  'queue-purge': { readonly purged: number; readonly cursor: string | null }
  backup: {
    /** The next bytes of the file. */
    readonly bytes: Uint8Array
    /** Null with the last bytes. */
    readonly cursor: string | null
    /** Entries so far. */
    readonly entries: number
    /** With the last bytes: the commit up to which everything is in it. */
    readonly lsn?: number
  }
}

export type ReplyOf<V extends Verb> = Replies[V]
