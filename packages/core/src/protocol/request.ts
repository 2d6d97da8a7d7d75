// Every request of the protocol as a typed union. docs/protocol.md is the contract.

import type { RetryPolicy } from '../retry.ts'
import type { QueueOrder } from '../rank.ts'
import type { TaskState } from '../state.ts'
import type { TaskIdBytes } from '../task-id.ts'
import type { TimeoutPolicy } from '../timeout-policy.ts'

export const PROTOCOL_VERSION: number = 1

export type Labels = Readonly<Record<string, string | number | boolean>>

/** What a producer may say about a task beside queue, type and payload. */
export interface TaskOptions {
  /** 0 to 255, 255 most urgent; default 128. */
  readonly priority?: number
  /** Not before this moment (ms since the Unix epoch). Not together with `delayMs`. */
  readonly runAtMs?: number
  /** Not before this long from now, in ms. */
  readonly delayMs?: number
  /** Expires if it was not started this long after the enqueue, in ms. */
  readonly ttlMs?: number
  /** Same key and same request within the window: the same task. Scoped to the queue. */
  readonly idempotencyKey?: string
  readonly maxAttempts?: number
  readonly maxLost?: number
  /** What is left out comes from the queue's settings. */
  readonly retry?: Partial<RetryPolicy>
  /** Execution timeout of one attempt, in ms; wins over the queue's policy for the type. */
  readonly timeoutMs?: number
  readonly durationHintMs?: number
  readonly sizeHintBytes?: number
  /** Labels that a worker must have to claim this task. */
  readonly requires?: Labels
  readonly headers?: Readonly<Record<string, string>>
  /** W3C trace context, carried along unread. */
  readonly trace?: { readonly traceparent: string; readonly tracestate?: string }
}

/** One task of an enqueue. On the wire: `[id | nil, type, payload, options | nil]`. */
export interface TaskSpec {
  readonly id: TaskIdBytes | undefined
  readonly type: string
  readonly payload: Uint8Array
  readonly options: TaskOptions | undefined
}

/** A task that the sender holds. On the wire the first two of an array. */
export interface HeldTask {
  readonly id: TaskIdBytes
  readonly token: number
}

/** On the wire `[id, token, result | nil]`; the result is opaque bytes. */
export interface Completion extends HeldTask {
  readonly result: Uint8Array | undefined
}

export interface TaskError {
  readonly message: string
  /** A short name of the kind of error, such as `TypeError`; retry policies match on it. */
  readonly type?: string
  readonly stack?: string
}

/** On the wire `[id, token, error, options | nil]`. */
export interface Failure extends HeldTask {
  readonly error: TaskError
  /** False: dead at once, whatever the policy says. */
  readonly retryable?: boolean
  /** Wins over the policy's delay, in ms. */
  readonly retryAfterMs?: number
}

/** On the wire `[id, token, percent | nil, note | nil]`. */
export interface Progress extends HeldTask {
  /** 0 to 100. */
  readonly percent: number | undefined
  readonly note: string | undefined
}

/** Settings of a queue. In `queue-set` each is optional; what is left out stays as it is. */
export interface QueueSettings {
  readonly order: QueueOrder
  readonly agingMsPerLevel: number
  /** Most live tasks; enqueue is refused beyond. */
  readonly tasksMax: number
  readonly maxAttempts: number
  readonly maxLost: number
  readonly retry: RetryPolicy
  /** How long completed, cancelled and expired tasks are kept, in ms, and how many; 0 keeps none. */
  readonly retentionMs: number
  readonly retentionCount: number
  /** The same for dead tasks, which wait for a person. */
  readonly deadRetentionMs: number
  readonly deadRetentionCount: number
  /** Timeout policies by task type; `*` is for all others. */
  readonly timeouts: Readonly<Record<string, TimeoutPolicy>>
}

export interface HelloRequest {
  readonly verb: 'hello'
  readonly protocol: number
  readonly client: { readonly name: string; readonly version: string }
  readonly token?: string
  /** 16 random bytes that the SDK keeps over reconnects; the broker makes one if absent. */
  readonly session?: Uint8Array
}
export interface PingRequest {
  readonly verb: 'ping'
}
export interface AbortRequest {
  readonly verb: 'abort'
  /** Id of an outstanding claim or wait of this connection. */
  readonly id: number
}
export interface RegisterRequest {
  readonly verb: 'register'
  readonly name: string
  readonly version: string
  readonly labels: Labels
  readonly slots: number
}
export interface LeaveRequest {
  readonly verb: 'leave'
}
export interface EnqueueRequest {
  readonly verb: 'enqueue'
  readonly queue: string
  readonly tasks: readonly TaskSpec[]
  /** True if every id here was made for this request and is sent for the first time. */
  readonly fresh: boolean
  /** How long ago a re-sent request was first sent, in ms of the sender's monotonic clock. */
  readonly sentAgoMs?: number
}
export interface ClaimRequest {
  readonly verb: 'claim'
  readonly queues: readonly string[]
  readonly max: number
  readonly waitMs: number
  readonly leaseMs?: number
  /** True (default): the tasks are running at once. False: assigned, until `start`. */
  readonly start: boolean
  /** Number of this claim in its session, 1 or more; the same number again gives the same leases. */
  readonly claim: number
  /** How several queues are visited; default `round`. */
  readonly order: 'round' | 'strict'
  /** Share of each queue in a round, 1 to 100; queues that are not named have 1. */
  readonly weights?: Readonly<Record<string, number>>
  readonly minPriority?: number
}
export interface StartRequest {
  readonly verb: 'start'
  readonly tasks: readonly HeldTask[]
}
export interface HeartbeatRequest {
  readonly verb: 'heartbeat'
  /** Whose leases; default the connection's own session. Another must have the same principal. */
  readonly session?: Uint8Array
  readonly leases: readonly HeldTask[]
  /** All claims up to this number have been answered; 0 if none was. */
  readonly received: number
}
export interface ProgressRequest {
  readonly verb: 'progress'
  readonly tasks: readonly Progress[]
}
export interface CompleteRequest {
  readonly verb: 'complete'
  readonly tasks: readonly Completion[]
}
export interface FailRequest {
  readonly verb: 'fail'
  readonly tasks: readonly Failure[]
}
export interface ReleaseRequest {
  readonly verb: 'release'
  readonly tasks: readonly HeldTask[]
}
export interface CancelRequest {
  readonly verb: 'cancel'
  readonly ids: readonly TaskIdBytes[]
  readonly reason?: string
}
export interface RedriveRequest {
  readonly verb: 'redrive'
  readonly ids: readonly TaskIdBytes[]
}
export interface SetPriorityRequest {
  readonly verb: 'set-priority'
  readonly ids: readonly TaskIdBytes[]
  readonly priority: number
}
export interface GetRequest {
  readonly verb: 'get'
  readonly id: TaskIdBytes
  readonly payload: boolean
}
export interface WaitRequest {
  readonly verb: 'wait'
  readonly id: TaskIdBytes
  readonly waitMs: number
}
export interface ListRequest {
  readonly verb: 'list'
  readonly queue?: string
  readonly state?: TaskState
  readonly type?: string
  readonly limit: number
  readonly cursor?: string
}
export interface StatsRequest {
  readonly verb: 'stats'
  readonly queue?: string
}
export interface WorkersRequest {
  readonly verb: 'workers'
}
export interface StartupLogRequest {
  readonly verb: 'startup-log'
}
export interface QueueSetRequest {
  readonly verb: 'queue-set'
  readonly queue: string
  readonly settings: Partial<QueueSettings>
}
export interface QueuePauseRequest {
  readonly verb: 'queue-pause'
  readonly queue: string
  readonly reason?: string
}
export interface QueueResumeRequest {
  readonly verb: 'queue-resume'
  readonly queue: string
}
export interface QueuePurgeRequest {
  readonly verb: 'queue-purge'
  readonly queue: string
  readonly reason?: string
  /** From the last answer; absent starts a purge of what waits now. */
  readonly cursor?: string
}
export interface BackupRequest {
  readonly verb: 'backup'
  /** From the last answer of this connection; absent begins a backup. */
  readonly cursor?: string
}

export type Request =
  | HelloRequest
  | PingRequest
  | AbortRequest
  | RegisterRequest
  | LeaveRequest
  | EnqueueRequest
  | ClaimRequest
  | StartRequest
  | HeartbeatRequest
  | ProgressRequest
  | CompleteRequest
  | FailRequest
  | ReleaseRequest
  | CancelRequest
  | RedriveRequest
  | SetPriorityRequest
  | GetRequest
  | WaitRequest
  | ListRequest
  | StatsRequest
  | WorkersRequest
  | StartupLogRequest
  | QueueSetRequest
  | QueuePauseRequest
  | QueueResumeRequest
  | QueuePurgeRequest
  | BackupRequest

export type Verb = Request['verb']
export type RequestOf<V extends Verb> = Extract<Request, { verb: V }>
