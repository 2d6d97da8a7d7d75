// All that a state promises, as plain values in a fixed order: two states are equal if these are.

import type { TaskState } from '@tq/core'
import { hexOf } from '../src/engine/held.ts'
import { NO_ROW, type Row } from '../src/engine/rows.ts'
import type { EngineState } from '../src/engine/state.ts'
import { FLAG_CANCEL_REQUESTED, FLAG_KEYED } from '../src/engine/task-table.ts'

const COUNTED: readonly TaskState[] = ['scheduled', 'queued', 'assigned', 'running', 'retrying']

/** What a restart keeps. Ends of leases are not among it: each gets its full time again. */
export function dumpState(state: EngineState): unknown {
  const { nextSequence, nextQueueNumber } = state
  const tasks: unknown[] = []
  for (let row = 0; row < state.tasks.rows.end; row += 1) {
    if (state.tasks.isUsed(row) && !state.ends.has(row)) tasks.push(dumpTask(state, row))
  }
  return {
    nextSequence,
    nextQueueNumber,
    queues: [...state.queuesByNumber.values()]
      .sort((one, other) => one.number - other.number)
      .map((queue) => ({
        number: queue.number,
        name: queue.name,
        settings: queue.settings,
        paused: queue.paused,
        ...(queue.pauseReason === undefined ? {} : { pauseReason: queue.pauseReason }),
        counts: COUNTED.map((name) => `${name} ${queue.countOf(name)}`).join(', '),
        ready: readyOf(state, queue.name),
      })),
    sessions: [...state.sessionsByKey.keys()].sort().map((key) => dumpSession(state, key)),
    tasks: tasks.sort(byId),
    scheduled: inOrder(state, state.scheduled),
    retrying: inOrder(state, state.retrying),
    expiry: inOrder(state, state.expiry),
  }
}

function dumpTask(state: EngineState, row: Row): unknown {
  const { tasks } = state
  const profile = state.profileOf(row)
  const cancelNote = state.cancelNotes.get(row)
  return {
    id: hexOf(tasks.id(row)),
    ...{ queue: profile.queue.name, profile: profile.text, type: profile.type },
    ...(profile.requires === undefined ? {} : { requires: profile.requires }),
    ...{ maxAttempts: profile.maxAttempts, maxLost: profile.maxLost, retry: profile.retry },
    ...{ state: tasks.state(row), priority: tasks.priority(row) },
    ...{ failures: tasks.failures(row), losses: tasks.losses(row) },
    ...{ chapters: tasks.chapters(row), generation: tasks.generation(row) },
    ...{ payloadBytes: tasks.payloadBytes(row), timeoutMs: tasks.timeoutMs(row) },
    ...{ sequence: tasks.sequence(row), rankBaseMs: tasks.rankBaseMs(row) },
    ...{ dueAt: tasks.dueAt(row), expiresAtMs: tasks.expiresAtMs(row) },
    createdAtMs: tasks.createdAtMs(row),
    ...(tasks.hasFlag(row, FLAG_KEYED) ? { keyed: true } : {}),
    ...(tasks.hasFlag(row, FLAG_CANCEL_REQUESTED) ? { cancelRequested: true } : {}),
    ...(cancelNote === undefined ? {} : { cancelNote }),
    ...(tasks.lease(row) === NO_ROW ? {} : { lease: dumpLease(state, tasks.lease(row)) }),
  }
}

function dumpLease(state: EngineState, lease: Row): unknown {
  const { leases } = state
  return {
    session: state.sessionAt(leases.session(lease)).key,
    ...{ token: leases.token(lease), claim: leases.claim(lease), leaseMs: leases.leaseMs(lease) },
    ...{ assignedAtMs: leases.assignedAtMs(lease), startedAtMs: leases.startedAtMs(lease) },
    deadlineTickMs: leases.deadlineTickMs(lease),
  }
}

function dumpSession(state: EngineState, key: string): unknown {
  const session = state.sessionsByKey.get(key)
  if (session === undefined) throw new Error('a key of the map is in the map')
  const held: string[] = []
  for (let lease = session.firstLease; lease !== NO_ROW; lease = state.leases.next(lease)) {
    held.push(hexOf(state.tasks.id(state.leases.task(lease))))
  }
  const { principal, worker } = session
  return { id: key, principal, ...(worker === undefined ? {} : { worker }), held }
}

/** Ids of the ready tasks of a queue, lane by lane, each in the order in which they are given out. */
function readyOf(state: EngineState, name: string): Readonly<Record<string, string[]>> {
  const lanes: Record<string, string[]> = {}
  const queue = state.queuesByName.get(name)
  for (const group of queue?.groups.values() ?? []) {
    for (const { priority, heap } of group.lanes) {
      if (heap.size > 0) lanes[`${group.key} ${priority}`] = inOrder(state, heap)
    }
  }
  return Object.fromEntries(Object.entries(lanes).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function inOrder(state: EngineState, heap: EngineState['scheduled']): string[] {
  const { tasks } = state
  const rows = Array.from({ length: heap.size }, (_, place) => heap.at(place))
  rows.sort((a, b) => heap.keyOf(a) - heap.keyOf(b) || tasks.sequence(a) - tasks.sequence(b))
  return rows.map((row) => hexOf(tasks.id(row)))
}

function byId(one: unknown, other: unknown): number {
  const [a, b] = [one as { id: string }, other as { id: string }]
  return a.id < b.id ? -1 : 1
}
