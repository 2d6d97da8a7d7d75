// How a lease comes, moves and goes, in the table, the heaps and its session's list.

import { noteIdle } from './apply-session.ts'
import type { TaskLeased } from './fact.ts'
import { NO_ROW, type Row } from './rows.ts'
import type { EngineState } from './state.ts'
import { FLAG_CANCEL_REQUESTED } from './task-table.ts'

export function placeLease(state: EngineState, fact: TaskLeased): void {
  const { leases } = state
  const lease = leases.acquire(fact.task, fact.session)
  leases.setToken(lease, fact.token)
  leases.setClaim(lease, fact.claim)
  leases.setLeaseMs(lease, fact.leaseMs)
  leases.setEndTickMs(lease, fact.endTickMs)
  leases.setAssignedAtMs(lease, fact.atMs)
  state.leaseEnds.insert(lease, fact.endTickMs)
  if (fact.deadlineTickMs > 0) {
    leases.setStartedAtMs(lease, fact.atMs)
    leases.setDeadlineTickMs(lease, fact.deadlineTickMs)
    state.deadlines.insert(lease, fact.deadlineTickMs)
  }
  state.tasks.setLease(fact.task, lease)
  linkLease(state, lease)
}

/** Ends the lease of a held task and takes the task out of its queue's count. */
export function removeLease(state: EngineState, task: Row): void {
  const { leases, tasks } = state
  const lease = tasks.lease(task)
  state.queueOf(task).addToCount(tasks.state(task), -1)
  state.leaseEnds.remove(lease)
  if (state.deadlines.has(lease)) state.deadlines.remove(lease)
  unlinkLease(state, lease)
  state.progressNotes.delete(lease)
  leases.release(lease)
  tasks.setLease(task, NO_ROW)
  if (tasks.hasFlag(task, FLAG_CANCEL_REQUESTED)) {
    tasks.clearFlag(task, FLAG_CANCEL_REQUESTED)
    state.cancelNotes.delete(task)
  }
}

export function touchLeaseEnd(state: EngineState, lease: Row, endTickMs: number): void {
  state.leases.setEndTickMs(lease, endTickMs)
  state.leaseEnds.changeKey(lease, endTickMs)
}

function linkLease(state: EngineState, lease: Row): void {
  const session = state.sessionAt(state.leases.session(lease))
  state.leases.setNext(lease, session.firstLease)
  if (session.firstLease !== NO_ROW) state.leases.setPrevious(session.firstLease, lease)
  session.firstLease = lease
  session.leaseCount += 1
  state.idleGuests.delete(session)
}

function unlinkLease(state: EngineState, lease: Row): void {
  const { leases } = state
  const session = state.sessionAt(leases.session(lease))
  const previous = leases.previous(lease)
  const next = leases.next(lease)
  if (previous === NO_ROW) session.firstLease = next
  else leases.setNext(previous, next)
  if (next !== NO_ROW) leases.setPrevious(next, previous)
  session.leaseCount -= 1
  if (session.leaseCount === 0) noteIdle(state, session)
}
