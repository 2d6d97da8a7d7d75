// What the reference model knows of a task, a session and a queue, as plain objects.

import { type QueueOrder, TASK_STATES, type TaskState } from '@tq/core'

export const MODEL_LIMITS = {
  tasksMax: 10,
  maxAttempts: 2,
  maxLost: 2,
  agingMsPerLevel: 100,
  retryMs: 1_000,
  workerDeadMs: 5_000,
  sessionIdleMs: 20_000,
} as const

export interface ModelWish {
  readonly queue: string
  readonly priority: number
  readonly delayMs: number
  readonly ttlMs: number | undefined
  readonly timeoutMs: number
  readonly needsGpu: boolean
  readonly key: string | undefined
}

export type StopWord = readonly [number: number, reason: 'unknown' | 'lost' | 'cancelled']

export interface ModelLease {
  readonly session: string
  readonly token: number
  readonly claim: number
  readonly leaseMs: number
  end: number
  /** Infinity until it was started. */
  deadline: number
}

export interface ModelTask {
  readonly number: number
  readonly queue: string
  readonly needsGpu: boolean
  readonly timeoutMs: number
  state: TaskState
  priority: number
  rankBaseMs: number
  sequence: number
  /** Wall ms if scheduled, tick ms if retrying. */
  dueAt: number
  /** Infinity for never. */
  expiresAt: number
  failures: number
  losses: number
  generation: number
  isCancelRequested: boolean
  lease: ModelLease | undefined
  /** Token of the attempt that ended the task. */
  endToken: number | undefined
  isPurged: boolean
  /** Its end is durable; a purged task is then gone without a trace. */
  isOnDisk: boolean
}

export interface ModelSession {
  seenTick: number
  isWorker: boolean
  hasGpu: boolean
}

export interface ModelQueue {
  isPaused: boolean
  order: QueueOrder
  readonly keys: Map<string, { readonly number: number; readonly request: string }>
}

export function isTerminal({ state }: ModelTask): boolean {
  return TASK_STATES[state].terminal
}

export function isGone(task: ModelTask): boolean {
  return task.isPurged && task.isOnDisk
}

export function isWaiting(task: ModelTask): boolean {
  return !isTerminal(task) && task.lease === undefined
}

export function end(task: ModelTask, state: TaskState): void {
  task.endToken = task.lease?.token
  task.lease = undefined
  task.isCancelRequested = false
  task.state = state
}

export function grantOf({ number, lease }: ModelTask): [number: number, token: number] {
  return [number, (lease as ModelLease).token]
}
