// Everything that may be asked of the engine, each with the time it was asked and what was fetched.

import type {
  CancelRequest,
  ClaimRequest,
  CompleteRequest,
  EnqueueRequest,
  FailRequest,
  HeartbeatRequest,
  HeldTask,
  ProgressRequest,
  QueuePauseRequest,
  QueuePurgeRequest,
  QueueResumeRequest,
  QueueSetRequest,
  RedriveRequest,
  RegisterRequest,
  ReleaseRequest,
  SetPriorityRequest,
  StartRequest,
} from '@tq/core'
import type { EndedTask } from './fact.ts'

/** What comes in with every command, so that the engine needs no clock and no dice. */
export interface Circumstances {
  /** Wall clock; may step. For run-at times, times to live and display. */
  readonly wallMs: number
  /** Never goes back. For leases, timeouts and backoff. */
  readonly tickMs: number
  /** A random number in [0, 1): the seed of all chance in this command. */
  readonly chance: number
  /** Who asks: a principal's name, or the broker itself. */
  readonly actor: string
}

export interface SessionIdentity {
  readonly id: Uint8Array
  readonly principal: string
}

/** Terminal tasks found on disk, by the hex text of their ids. */
export type EndedTasks = ReadonlyMap<string, EndedTask>

/** What was found out about the ids and keys of an enqueue that are not in memory. */
export interface EnqueueFindings {
  readonly ended: EndedTasks
  /** Ids that the journal shows as enqueued before, though nothing else is left of them. */
  readonly journaled: ReadonlySet<string>
  /** Ids of which nobody can tell any more. */
  readonly untold: ReadonlySet<string>
  /** Dedupe records by idempotency key. */
  readonly keys: ReadonlyMap<string, { readonly id: Uint8Array; readonly hash: Uint8Array }>
}

export type Command =
  | {
      readonly kind: 'enqueue'
      /** Every task has its id. */
      readonly request: EnqueueRequest
      /** For each task the hash of its request, if it has an idempotency key. */
      readonly hashes: readonly (Uint8Array | undefined)[]
      readonly findings: EnqueueFindings | undefined
    }
  | {
      readonly kind: 'claim'
      readonly request: ClaimRequest
      readonly session: SessionIdentity
      readonly payloadBytesMax: number
      /** The broker tries it again by itself: no sign of life of the session. */
      readonly isRetried?: boolean
    }
  | { readonly kind: 'start'; readonly request: StartRequest; readonly ended: EndedTasks }
  | { readonly kind: 'complete'; readonly request: CompleteRequest; readonly ended: EndedTasks }
  | { readonly kind: 'fail'; readonly request: FailRequest; readonly ended: EndedTasks }
  | { readonly kind: 'release'; readonly request: ReleaseRequest; readonly ended: EndedTasks }
  | { readonly kind: 'progress'; readonly request: ProgressRequest }
  | {
      readonly kind: 'heartbeat'
      readonly request: HeartbeatRequest
      readonly session: SessionIdentity
    }
  | { readonly kind: 'cancel'; readonly request: CancelRequest; readonly ended: EndedTasks }
  | { readonly kind: 'redrive'; readonly request: RedriveRequest; readonly ended: EndedTasks }
  | {
      readonly kind: 'set-priority'
      readonly request: SetPriorityRequest
      readonly ended: EndedTasks
    }
  | {
      readonly kind: 'register'
      readonly request: RegisterRequest
      readonly session: SessionIdentity
    }
  | { readonly kind: 'leave'; readonly session: SessionIdentity }
  | { readonly kind: 'queue-set'; readonly request: QueueSetRequest }
  | { readonly kind: 'queue-pause'; readonly request: QueuePauseRequest }
  | { readonly kind: 'queue-resume'; readonly request: QueueResumeRequest }
  | { readonly kind: 'queue-purge'; readonly request: QueuePurgeRequest }
  /** One bounded step of what time brings: due tasks, ended leases, deadlines, dead workers. */
  | { readonly kind: 'expire' }
  /** The broker stood still for so long. */
  | { readonly kind: 'extend-leases'; readonly byMs: number }
  /** These tasks were leased, but their payload cannot be read. */
  | { readonly kind: 'quarantine'; readonly tasks: readonly HeldTask[] }
  | { readonly kind: 'tick' }
