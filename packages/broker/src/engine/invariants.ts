// What must hold after every step. Runs after each step in tests and simulation, and after recovery.

import { invariant, TASK_STATES, type TaskState } from '@tq/core'
import type { Heap } from './heap.ts'
import type { Queue } from './queue.ts'
import { NO_ROW, type Row } from './rows.ts'
import type { EngineState } from './state.ts'

/** Checks the whole state; O(tasks). Throws InvariantError naming the law that is broken. */
export function checkInvariants(state: EngineState): void {
  checkCounts(state)
  for (let task = 0; task < state.tasks.rows.end; task += 1) {
    if (state.tasks.isUsed(task)) checkTask(state, task)
  }
  checkQueues(state)
  checkProfiles(state)
  checkSessions(state)
  const sequenceOf = (task: Row): number => state.tasks.sequence(task)
  const tokenOf = (lease: Row): number => state.leases.token(lease)
  for (const heap of [state.scheduled, state.retrying, state.expiry]) checkOrder(heap, sequenceOf)
  for (const heap of [state.leaseEnds, state.deadlines]) checkOrder(heap, tokenOf)
}

/** The part that costs nothing: totals against each other. */
export function checkCounts(state: EngineState): void {
  invariant(state.index.size === state.tasks.count, 'the index holds each task once')
  invariant(state.leaseEnds.size === state.leases.count, 'every lease can end')
  let live = 0
  let assigned = 0
  let running = 0
  let scheduled = 0
  let retrying = 0
  for (const queue of state.queuesByName.values()) {
    live += queue.liveCount
    assigned += queue.countOf('assigned')
    running += queue.countOf('running')
    scheduled += queue.countOf('scheduled')
    retrying += queue.countOf('retrying')
  }
  invariant(live === state.liveCount, 'queues count the live tasks')
  invariant(assigned + running === state.leases.count, 'each held task has one lease')
  invariant(state.deadlines.size === running, 'just the running tasks have a deadline')
  invariant(state.scheduled.size === scheduled, 'each scheduled task waits once')
  invariant(state.retrying.size === retrying, 'each retrying task waits once')
}

function checkTask(state: EngineState, task: Row): void {
  const { tasks } = state
  const name = tasks.state(task)
  const entry = TASK_STATES[name]
  invariant(entry !== undefined, 'a task has a known state')
  invariant(state.index.find(tasks.id(task)) === task, 'a task is found by its id')
  invariant(state.ends.has(task) === entry.terminal, 'just the terminal tasks have an end')
  invariant((tasks.lease(task) !== NO_ROW) === entry.held, 'just the held tasks have a lease')
  checkPlace(state, task, name)
  const profile = state.profileOf(task)
  invariant(tasks.failures(task) <= profile.maxAttempts, 'failures stay within maxAttempts')
  invariant(tasks.losses(task) <= profile.maxLost, 'losses stay within maxLost')
  if (!entry.terminal) {
    invariant(tasks.failures(task) < profile.maxAttempts, 'a live task has an attempt left')
    invariant(tasks.losses(task) < profile.maxLost, 'a live task has a loss left')
  }
  if (entry.held) checkLease(state, task, name)
}

/** A waiting task stands in exactly one heap: the one that its state names. */
function checkPlace(state: EngineState, task: Row, name: TaskState): void {
  const profile = state.profileOf(task)
  const lane = profile.queue.groups
    .get(profile.requires === undefined ? '' : JSON.stringify(sorted(profile.requires)))
    ?.find(state.tasks.priority(task))
  const inLane = lane?.heap.has(task) ?? false
  invariant(inLane === (name === 'queued'), 'just the queued tasks stand in their lane')
  invariant(state.scheduled.has(task) === (name === 'scheduled'), 'scheduled tasks wait for time')
  invariant(state.retrying.has(task) === (name === 'retrying'), 'retrying tasks wait for time')
  const expiresAtMs = state.tasks.expiresAtMs(task)
  const mayExpire = expiresAtMs > 0 && !TASK_STATES[name].terminal && !TASK_STATES[name].held
  invariant(state.expiry.has(task) === mayExpire, 'waiting tasks may expire')
  if (mayExpire) invariant(state.expiry.keyOf(task) === expiresAtMs, 'a task expires when it says')
  if (inLane && lane !== undefined) {
    invariant(lane.heap.keyOf(task) === state.tasks.rankBaseMs(task), 'a lane orders by rank base')
  }
  if (name === 'scheduled' || name === 'retrying') {
    const dueAt = state[name].keyOf(task)
    invariant(dueAt === state.tasks.dueAt(task), 'a task is due when it says')
  }
}

function sorted(requires: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(requires).sort(([a], [b]) => (a < b ? -1 : 1))
}

function checkLease(state: EngineState, task: Row, name: TaskState): void {
  const { leases } = state
  const lease = state.tasks.lease(task)
  invariant(leases.task(lease) === task, 'a lease knows its task')
  invariant(leases.token(lease) > 0, 'a lease has a token')
  invariant(leases.token(lease) <= state.lastToken, 'tokens only grow')
  invariant(state.leaseEnds.keyOf(lease) === leases.endTickMs(lease), 'a lease ends when it says')
  invariant(state.deadlines.has(lease) === (name === 'running'), 'running tasks have a deadline')
  if (name === 'assigned') return
  const deadlineTickMs = leases.deadlineTickMs(lease)
  invariant(state.deadlines.keyOf(lease) === deadlineTickMs, 'a deadline is when it says')
}

function checkQueues(state: EngineState): void {
  const counts = new Map<Queue, Map<TaskState, number>>()
  for (let task = 0; task < state.tasks.rows.end; task += 1) {
    if (!state.tasks.isUsed(task) || state.ends.has(task)) continue
    const queue = state.queueOf(task)
    const byState = counts.get(queue) ?? new Map<TaskState, number>()
    byState.set(state.tasks.state(task), (byState.get(state.tasks.state(task)) ?? 0) + 1)
    counts.set(queue, byState)
  }
  for (const queue of state.queuesByName.values()) {
    for (const name of ['scheduled', 'queued', 'assigned', 'running', 'retrying'] as const) {
      const counted = counts.get(queue)?.get(name) ?? 0
      invariant(queue.countOf(name) === counted, `queue counts its ${name} tasks`)
    }
    let ready = 0
    for (const group of queue.groups.values()) {
      for (const lane of group.lanes) {
        ready += lane.heap.size
        checkOrder(lane.heap, (task) => state.tasks.sequence(task))
      }
    }
    invariant(ready === queue.countOf('queued'), 'lanes hold the queued tasks and no others')
  }
}

function checkProfiles(state: EngineState): void {
  let uses = 0
  for (const profile of state.profiles) {
    invariant(state.profiles.at(profile.index) === profile, 'a profile stands at its index')
    uses += profile.uses
  }
  invariant(uses === state.tasks.count, 'profiles count the tasks that use them')
}

function checkSessions(state: EngineState): void {
  let linked = 0
  for (const session of state.sessionsByKey.values()) {
    invariant(state.sessions[session.index] === session, 'a session stands at its index')
    let count = 0
    let previous = NO_ROW
    for (let lease = session.firstLease; lease !== NO_ROW; lease = state.leases.next(lease)) {
      invariant(state.leases.session(lease) === session.index, 'a lease is in its own list')
      count += 1
      invariant(count <= session.leaseCount, "a session's list has no circle")
      invariant(state.leases.previous(lease) === previous, 'a lease knows the one before it')
      previous = lease
    }
    invariant(count === session.leaseCount, 'a session counts its leases')
    linked += count
  }
  invariant(linked === state.leases.count, 'each lease belongs to one session')
  checkSilence(state)
}

function checkSilence({
  sessions,
  freeSessions,
  sessionsByKey,
  guestsBySilence,
  workersBySilence,
  idleGuests,
}: EngineState): void {
  const known = sessionsByKey.size
  invariant(known + freeSessions.length === sessions.length, 'an index is free or has a session')
  const standing = guestsBySilence.size + workersBySilence.size
  invariant(standing === known, 'each session is a worker or a guest')
  for (const bySilence of [guestsBySilence, workersBySilence]) {
    let seenTickMs = -Infinity
    for (const { worker, lastSeenTickMs } of bySilence) {
      const isWorker = bySilence === workersBySilence
      invariant((worker !== undefined) === isWorker, 'workers and guests stand apart')
      invariant(lastSeenTickMs >= seenTickMs, 'who has been silent longest comes first')
      seenTickMs = lastSeenTickMs
    }
  }
  const idle = [...guestsBySilence].filter(({ leaseCount }) => leaseCount === 0)
  const areNoted = idle.length === idleGuests.size && idle.every((guest) => idleGuests.has(guest))
  invariant(areNoted, 'guests that hold nothing are noted, and no others')
}

function checkOrder(heap: Heap, tieOf: (row: Row) => number): void {
  for (let place = 0; place < heap.size; place += 1) {
    const row = heap.at(place)
    invariant(heap.has(row), 'a member knows its place')
    if (place === 0) continue
    const parent = (place - 1) >>> 1
    invariant(heap.keyAt(parent) <= heap.keyAt(place), 'a parent never comes after its child')
    if (heap.keyAt(parent) < heap.keyAt(place)) continue
    invariant(tieOf(heap.at(parent)) < tieOf(row), 'equal keys stand first in, first out')
  }
}
