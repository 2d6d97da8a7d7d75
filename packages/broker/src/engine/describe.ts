// What the engine tells of a task, a queue, a worker: plain values for replies, computed from state.

import type { BrokerStats, QueueStats, TaskDescription, TaskRow, WorkerStats } from '@tq/core'
import type { EndedTask, EndRecord } from './fact.ts'
import type { Queue } from './queue.ts'
import { NO_ROW, type Row } from './rows.ts'
import type { Session } from './session.ts'
import type { EngineState } from './state.ts'
import { FLAG_CANCEL_REQUESTED } from './task-table.ts'

/** What "now" is for a description. */
export interface Now {
  readonly wallMs: number
  readonly tickMs: number
}

/** Describes a task in memory, without payload, headers and history, which are on disk. */
export function describeTask(state: EngineState, task: Row, now: Now): TaskDescription {
  const { tasks } = state
  const profile = state.profileOf(task)
  const end = state.ends.get(task)
  const name = tasks.state(task)
  const expiresAtMs = tasks.expiresAtMs(task)
  return {
    id: tasks.id(task),
    queue: profile.queue.name,
    type: profile.type,
    state: name,
    priority: tasks.priority(task),
    attempt: end?.attempt?.attempt ?? tasks.attempt(task),
    failures: tasks.failures(task),
    losses: tasks.losses(task),
    generation: tasks.generation(task),
    maxAttempts: profile.maxAttempts,
    maxLost: profile.maxLost,
    createdAtMs: tasks.createdAtMs(task),
    timeoutMs: tasks.timeoutMs(task),
    payloadBytes: tasks.payloadBytes(task),
    ...(profile.requires === undefined ? {} : { requires: profile.requires }),
    ...dueOf(state, task, now),
    ...(expiresAtMs > 0 ? { expiresAtMs } : {}),
    ...(tasks.hasFlag(task, FLAG_CANCEL_REQUESTED) ? { cancelRequested: true } : {}),
    ...(tasks.lease(task) === NO_ROW ? {} : { lease: describeLease(state, task, now) }),
    ...(end === undefined ? {} : { end: describeEnd(end) }),
  }
}

/** Describes a task whose record was read from disk after it had ended. */
export function describeEnded(ended: EndedTask): TaskDescription {
  const { profile } = ended
  return {
    id: ended.id,
    queue: profile.queue.name,
    type: profile.type,
    state: ended.end.state,
    priority: ended.priority,
    attempt: ended.end.attempt?.attempt ?? 1 + ended.failures + ended.losses,
    failures: ended.failures,
    losses: ended.losses,
    generation: ended.generation,
    maxAttempts: profile.maxAttempts,
    maxLost: profile.maxLost,
    createdAtMs: ended.createdAtMs,
    timeoutMs: ended.timeoutMs,
    payloadBytes: ended.payloadBytes,
    ...(profile.requires === undefined ? {} : { requires: profile.requires }),
    end: describeEnd(ended.end),
  }
}

export function rowOfTask(state: EngineState, task: Row, now: Now): TaskRow {
  const { tasks } = state
  const profile = state.profileOf(task)
  const lease = tasks.lease(task)
  const end = state.ends.get(task)
  const worker =
    lease === NO_ROW
      ? end?.attempt?.worker
      : state.sessionAt(state.leases.session(lease)).displayName
  return {
    id: tasks.id(task),
    queue: profile.queue.name,
    type: profile.type,
    state: tasks.state(task),
    priority: tasks.priority(task),
    attempt: end?.attempt?.attempt ?? tasks.attempt(task),
    createdAtMs: tasks.createdAtMs(task),
    ...dueOf(state, task, now),
    ...(end === undefined ? {} : { endedAtMs: end.atMs }),
    ...(worker === undefined ? {} : { worker }),
  }
}

export function rowOfEnded(ended: EndedTask): TaskRow {
  return {
    id: ended.id,
    queue: ended.profile.queue.name,
    type: ended.profile.type,
    state: ended.end.state,
    priority: ended.priority,
    attempt: ended.end.attempt?.attempt ?? 1 + ended.failures + ended.losses,
    createdAtMs: ended.createdAtMs,
    endedAtMs: ended.end.atMs,
    ...(ended.end.attempt === undefined ? {} : { worker: ended.end.attempt.worker }),
  }
}

/** What only the shell knows about a queue. */
export interface QueueSurroundings {
  readonly kept: number | null
  readonly dead: number | null
  readonly waitingClaims: number
  readonly withSettings: boolean
}

export function describeQueue(queue: Queue, around: QueueSurroundings & Now): QueueStats {
  const oldestMs = oldestReadyMs(queue)
  return {
    queue: queue.name,
    paused: queue.paused,
    ...(queue.pauseReason === undefined ? {} : { pauseReason: queue.pauseReason }),
    scheduled: queue.countOf('scheduled'),
    queued: queue.countOf('queued'),
    assigned: queue.countOf('assigned'),
    running: queue.countOf('running'),
    retrying: queue.countOf('retrying'),
    kept: around.kept,
    dead: around.dead,
    ...(oldestMs === Infinity ? {} : { oldestReadyAgeMs: Math.max(0, around.wallMs - oldestMs) }),
    enqueuedTotal: queue.totals.enqueued,
    completedTotal: queue.totals.completed,
    failedTotal: queue.totals.failed,
    deadTotal: queue.totals.dead,
    lostTotal: queue.totals.lost,
    waitingClaims: around.waitingClaims,
    ...(around.withSettings ? { settings: queue.settings } : {}),
  }
}

export function describeWorker(
  session: Session,
  now: Now,
  heartbeatMs: number,
): WorkerStats | undefined {
  const { worker } = session
  if (worker === undefined) return undefined
  const lastSeenAgoMs = Math.max(0, now.tickMs - session.lastSeenTickMs)
  return {
    session: session.id,
    name: worker.name,
    version: worker.version,
    labels: worker.labels,
    slots: worker.slots,
    leases: session.leaseCount,
    lastSeenAgoMs,
    health: lastSeenAgoMs > 2 * heartbeatMs ? 'late' : 'ok',
    principal: session.principal,
  }
}

export type EngineStats = Pick<BrokerStats, 'tasks' | 'workers'>

export function describeEngine(state: EngineState): EngineStats {
  let workers = 0
  for (const session of state.sessionsByKey.values()) if (session.worker !== undefined) workers += 1
  return { tasks: state.liveCount, workers }
}

/** The head of each lane is its oldest; the oldest of these is the queue's. */
function oldestReadyMs(queue: Queue): number {
  let oldestMs = Infinity
  for (const group of queue.groups.values()) {
    for (const lane of group.lanes) oldestMs = Math.min(oldestMs, lane.heap.firstKey())
  }
  return oldestMs
}

function dueOf(state: EngineState, task: Row, now: Now): { dueAtMs?: number } {
  const name = state.tasks.state(task)
  if (name === 'scheduled') return { dueAtMs: state.tasks.dueAt(task) }
  // Backoff runs on the tick clock; people want to see a time of day.
  if (name === 'retrying') {
    return { dueAtMs: Math.round(now.wallMs + state.tasks.dueAt(task) - now.tickMs) }
  }
  return {}
}

function describeLease(
  state: EngineState,
  task: Row,
  now: Now,
): NonNullable<TaskDescription['lease']> {
  const { leases } = state
  const lease = state.tasks.lease(task)
  const session = state.sessionAt(leases.session(lease))
  const startedAtMs = leases.startedAtMs(lease)
  const percent = leases.percent(lease)
  const note = state.progressNotes.get(lease)
  return {
    session: session.id,
    worker: session.displayName,
    token: leases.token(lease),
    remainingMs: Math.max(0, Math.round(leases.endTickMs(lease) - now.tickMs)),
    assignedAtMs: leases.assignedAtMs(lease),
    ...(startedAtMs > 0 ? { startedAtMs } : {}),
    ...(percent === undefined ? {} : { percent }),
    ...(note === undefined ? {} : { note }),
  }
}

function describeEnd(end: EndRecord): NonNullable<TaskDescription['end']> {
  return {
    atMs: end.atMs,
    reason: end.reason,
    ...(end.result === undefined ? {} : { result: end.result }),
    ...(end.error === undefined ? {} : { error: end.error }),
    ...(end.note === undefined ? {} : { note: end.note }),
  }
}
