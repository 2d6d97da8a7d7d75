// apply(state, fact): the only code that writes the state. Recovery places tasks by the same means.

import { invariant, unreachable } from '@tq/core'
import { placeLease, removeLease, touchLeaseEnd } from './apply-lease.ts'
import { closeSession, openSession, seeSession } from './apply-session.ts'
import type {
  Fact,
  QueueChanged,
  QueueCreated,
  TaskEnded,
  TaskEnqueued,
  TaskLeased,
  TaskPurged,
  TaskRedriven,
  TaskReleased,
  TaskRetried,
} from './fact.ts'
import { placeReady, unplace } from './place.ts'
import { Queue } from './queue.ts'
import { NO_ROW, type Row } from './rows.ts'
import { type EngineState, pendingKeyOf } from './state.ts'
import { FLAG_BORN, FLAG_CANCEL_REQUESTED, FLAG_KEYED, FLAG_PURGED } from './task-table.ts'

/** Carries out what a fact says. Returns the row of the task it is about, or NO_ROW. */
export function apply(state: EngineState, fact: Fact): Row {
  switch (fact.kind) {
    case 'task-enqueued':
      return applyEnqueued(state, fact)
    case 'task-due':
      return applyDue(state, fact.task)
    case 'task-leased':
      return applyLeased(state, fact)
    case 'task-started':
      return applyStarted(state, fact.task, fact)
    case 'task-released':
      return applyReleased(state, fact)
    case 'task-retried':
      return applyRetried(state, fact)
    case 'task-ended':
      return applyEnded(state, fact)
    case 'task-cancel-requested':
      state.tasks.setFlag(fact.task, FLAG_CANCEL_REQUESTED)
      if (fact.note !== undefined) state.cancelNotes.set(fact.task, fact.note)
      state.touch(fact.task)
      return fact.task
    case 'task-reprioritised':
      return applyReprioritised(state, fact.task, fact.priority)
    case 'task-redriven':
      return applyRedriven(state, fact)
    case 'task-purged':
      return applyPurged(state, fact)
    case 'queue-created':
      return applyQueueCreated(state, fact)
    case 'queue-changed':
      return applyQueueChanged(state, fact)
    case 'session-opened':
      openSession(state, fact)
      return NO_ROW
    case 'session-closed':
      closeSession(state, fact.session)
      return NO_ROW
    case 'worker-lost':
      return NO_ROW
    case 'lease-renewed':
      touchLeaseEnd(state, fact.lease, fact.endTickMs)
      return NO_ROW
    case 'leases-extended':
      extendLeases(state, fact.byMs)
      return NO_ROW
    case 'session-seen':
      seeSession(state, state.sessionAt(fact.session), fact.tickMs)
      return NO_ROW
    case 'task-progressed':
      if (fact.percent !== undefined) state.leases.setPercent(fact.lease, fact.percent)
      if (fact.note !== undefined) state.progressNotes.set(fact.lease, fact.note)
      return NO_ROW
    case 'clock-ticked':
      return NO_ROW
    default:
      return unreachable(fact)
  }
}

/**
 * Frees the rows of ended tasks once the commit that removed them is durable and nobody can be
 * looking at the disk as it was before.
 */
export function forgetEnded(state: EngineState, tasks: readonly Row[]): void {
  for (const task of tasks) {
    invariant(state.ends.delete(task), 'only ended tasks are forgotten')
    state.cancelNotes.delete(task)
    state.index.remove(task)
    state.profiles.release(state.tasks.profile(task))
    state.tasks.release(task)
  }
}

function applyEnqueued(state: EngineState, fact: TaskEnqueued): Row {
  const { tasks } = state
  const profile = state.profiles.use(fact.profile)
  const task = tasks.acquire(fact.id)
  tasks.setProfile(task, profile.index)
  tasks.setPriority(task, fact.priority)
  tasks.setSequence(task, fact.sequence)
  tasks.setCreatedAtMs(task, fact.atMs)
  tasks.setTimeoutMs(task, fact.timeoutMs)
  tasks.setPayloadBytes(task, fact.payload.length)
  tasks.setFlag(task, FLAG_BORN)
  tasks.setExpiresAtMs(task, fact.expiresAtMs)
  state.index.add(task)
  state.nextSequence = fact.sequence + 1
  if (fact.expiresAtMs > 0) state.expiry.insert(task, fact.expiresAtMs)
  const key = fact.options?.idempotencyKey
  if (key !== undefined && fact.requestHash !== undefined) {
    tasks.setFlag(task, FLAG_KEYED)
    const pending = { id: fact.id, hash: fact.requestHash }
    state.pendingKeys.set(pendingKeyOf(profile.queue.number, key), pending)
  }
  profile.queue.totals.enqueued += 1
  if (fact.dueAtMs > 0) {
    tasks.setState(task, 'scheduled')
    profile.queue.addToCount('scheduled', 1)
    tasks.setRankBaseMs(task, fact.dueAtMs)
    tasks.setDueAt(task, fact.dueAtMs)
    state.scheduled.insert(task, fact.dueAtMs)
  } else {
    tasks.setRankBaseMs(task, fact.atMs)
    placeReady(state, task)
  }
  state.touch(task)
  return task
}

function applyDue(state: EngineState, task: Row): Row {
  unplace(state, task)
  placeReady(state, task)
  return task
}

function applyLeased(state: EngineState, fact: TaskLeased): Row {
  const { task } = fact
  unplace(state, task)
  if (state.expiry.has(task)) state.expiry.remove(task)
  const started = fact.deadlineTickMs > 0
  if (started) state.tasks.setExpiresAtMs(task, 0)
  placeLease(state, fact)
  state.lastToken = fact.token
  const to = started ? 'running' : 'assigned'
  state.tasks.setState(task, to)
  state.queueOf(task).addToCount(to, 1)
  state.touch(task)
  return task
}

function applyStarted(
  state: EngineState,
  task: Row,
  at: { readonly deadlineTickMs: number; readonly atMs: number },
): Row {
  const lease = state.tasks.lease(task)
  const queue = state.queueOf(task)
  queue.addToCount('assigned', -1)
  queue.addToCount('running', 1)
  state.tasks.setState(task, 'running')
  state.tasks.setExpiresAtMs(task, 0)
  state.leases.setStartedAtMs(lease, at.atMs)
  state.leases.setDeadlineTickMs(lease, at.deadlineTickMs)
  state.deadlines.insert(lease, at.deadlineTickMs)
  state.touch(task)
  return task
}

function applyReleased(state: EngineState, fact: TaskReleased): Row {
  const { task } = fact
  const { tasks } = state
  removeLease(state, task)
  if (fact.lost) {
    tasks.setFailuresAndLosses(task, tasks.failures(task), tasks.losses(task) + 1)
    state.queueOf(task).totals.lost += 1
  }
  tasks.setChapters(task, tasks.chapters(task) + 1)
  placeReady(state, task)
  const expiresAtMs = tasks.expiresAtMs(task)
  if (expiresAtMs > 0) state.expiry.insert(task, expiresAtMs)
  state.touch(task)
  return task
}

function applyRetried(state: EngineState, fact: TaskRetried): Row {
  const { task } = fact
  const { tasks } = state
  const queue = state.queueOf(task)
  removeLease(state, task)
  tasks.setFailuresAndLosses(task, tasks.failures(task) + 1, tasks.losses(task))
  tasks.setChapters(task, tasks.chapters(task) + 1)
  queue.totals.failed += 1
  tasks.setState(task, 'retrying')
  queue.addToCount('retrying', 1)
  tasks.setDueAt(task, fact.dueTickMs)
  state.retrying.insert(task, fact.dueTickMs)
  // Only a task that was never started can still expire.
  const expiresAtMs = tasks.expiresAtMs(task)
  if (expiresAtMs > 0) state.expiry.insert(task, expiresAtMs)
  state.touch(task)
  return task
}

function applyEnded(state: EngineState, fact: TaskEnded): Row {
  const { task } = fact
  const { tasks } = state
  const { totals } = state.queueOf(task)
  takeOut(state, task)
  if (fact.counts === 'failure') {
    tasks.setFailuresAndLosses(task, tasks.failures(task) + 1, tasks.losses(task))
    totals.failed += 1
  } else if (fact.counts === 'loss') {
    tasks.setFailuresAndLosses(task, tasks.failures(task), tasks.losses(task) + 1)
    totals.lost += 1
  }
  if (fact.state === 'completed') totals.completed += 1
  if (fact.state === 'dead') totals.dead += 1
  tasks.setState(task, fact.state)
  const { reason, atMs, result, error, note, attempt, actor } = fact
  state.ends.set(task, { state: fact.state, reason, atMs, result, error, note, attempt, actor })
  state.touch(task)
  return task
}

function applyReprioritised(state: EngineState, task: Row, priority: number): Row {
  const ready = state.tasks.state(task) === 'queued'
  if (ready) unplace(state, task)
  state.tasks.setPriority(task, priority)
  if (ready) placeReady(state, task)
  state.touch(task)
  return task
}

function applyRedriven(state: EngineState, fact: TaskRedriven): Row {
  const { tasks } = state
  const { ended } = fact
  const profile = state.profiles.use(ended.profile)
  const task = tasks.acquire(ended.id)
  tasks.setProfile(task, profile.index)
  tasks.setPriority(task, ended.priority)
  tasks.setSequence(task, state.nextSequence)
  tasks.setCreatedAtMs(task, ended.createdAtMs)
  tasks.setRankBaseMs(task, fact.atMs)
  tasks.setTimeoutMs(task, ended.timeoutMs)
  tasks.setPayloadBytes(task, ended.payloadBytes)
  tasks.setGeneration(task, ended.generation + 1)
  tasks.setChapters(task, ended.chapters + 1)
  if (ended.keyed) tasks.setFlag(task, FLAG_KEYED)
  state.nextSequence += 1
  state.index.add(task)
  placeReady(state, task)
  state.touch(task)
  return task
}

function applyPurged(state: EngineState, fact: TaskPurged): Row {
  const { task } = fact
  takeOut(state, task)
  state.tasks.setFlag(task, FLAG_PURGED)
  state.tasks.setState(task, 'cancelled')
  state.ends.set(task, {
    state: 'cancelled',
    reason: 'cancelled',
    atMs: fact.atMs,
    result: undefined,
    error: undefined,
    note: fact.note,
    attempt: undefined,
    actor: fact.actor,
  })
  state.touch(task)
  return task
}

/** Takes a live task out of whatever heap it stands in. */
function takeOut(state: EngineState, task: Row): void {
  if (state.tasks.lease(task) === NO_ROW) unplace(state, task)
  else removeLease(state, task)
  if (state.expiry.has(task)) state.expiry.remove(task)
}

function applyQueueCreated(state: EngineState, fact: QueueCreated): Row {
  const queue = new Queue(fact.number, fact.name, fact.settings)
  state.queuesByName.set(fact.name, queue)
  state.queuesByNumber.set(fact.number, queue)
  state.nextQueueNumber = Math.max(state.nextQueueNumber, fact.number + 1)
  return NO_ROW
}

function applyQueueChanged(state: EngineState, fact: QueueChanged): Row {
  const queue = state.queuesByNumber.get(fact.number)
  invariant(queue !== undefined, 'a changed queue exists')
  if (queue.paused && !fact.paused) state.woken.add(queue)
  queue.settings = fact.settings
  queue.plainProfiles.clear()
  queue.paused = fact.paused
  queue.pauseReason = fact.pauseReason
  return NO_ROW
}

function extendLeases(state: EngineState, byMs: number): void {
  const { leaseEnds, deadlines, leases } = state
  for (let place = 0; place < leaseEnds.size; place += 1) {
    const lease = leaseEnds.at(place)
    leases.setEndTickMs(lease, leases.endTickMs(lease) + byMs)
  }
  leaseEnds.addToAllKeys(byMs)
  for (let place = 0; place < deadlines.size; place += 1) {
    const lease = deadlines.at(place)
    leases.setDeadlineTickMs(lease, leases.deadlineTickMs(lease) + byMs)
  }
  deadlines.addToAllKeys(byMs)
  for (const session of state.sessionsByKey.values()) {
    // Nobody is seen in the future: who speaks next would stand before those who were silent.
    session.lastSeenTickMs = Math.min(session.lastSeenTickMs + byMs, state.tickMs)
  }
}
