// Puts what was read from disk back into memory, by the same means by which facts put it there.

import { invariant, type TaskState } from '@tq/core'
import { placeLease } from './apply-lease.ts'
import { placeReady } from './place.ts'
import type { Profile } from './profile.ts'
import type { Row } from './rows.ts'
import type { EngineState } from './state.ts'
import { FLAG_CANCEL_REQUESTED, FLAG_KEYED } from './task-table.ts'

/** A live task as its record tells it. */
export interface RestoredTask {
  readonly id: Uint8Array
  readonly profile: Profile
  readonly state: TaskState
  readonly priority: number
  readonly cancelRequested: boolean
  readonly cancelNote: string | undefined
  readonly keyed: boolean
  readonly failures: number
  readonly losses: number
  readonly chapters: number
  readonly generation: number
  readonly payloadBytes: number
  readonly timeoutMs: number
  readonly sequence: number
  readonly rankBaseMs: number
  readonly dueAt: number
  readonly expiresAtMs: number
  readonly createdAtMs: number
}

export interface RestoredLease {
  /** Index of a session that is known already. */
  readonly session: number
  readonly token: number
  readonly claim: number
  readonly leaseMs: number
  readonly assignedAtMs: number
  readonly startedAtMs: number
  readonly deadlineTickMs: number
}

/** Places a waiting task, or a held one with its lease: it gets its full time again from `tickMs`. */
export function restoreTask(
  state: EngineState,
  restored: RestoredTask,
  lease: RestoredLease | undefined,
): Row {
  const { tasks } = state
  invariant(state.index.find(restored.id) === undefined, 'a task is restored once')
  const profile = state.profiles.use(restored.profile)
  const task = tasks.acquire(restored.id)
  tasks.setProfile(task, profile.index)
  tasks.setPriority(task, restored.priority)
  tasks.setFailuresAndLosses(task, restored.failures, restored.losses)
  tasks.setChapters(task, restored.chapters)
  tasks.setGeneration(task, restored.generation)
  tasks.setPayloadBytes(task, restored.payloadBytes)
  tasks.setTimeoutMs(task, restored.timeoutMs)
  tasks.setSequence(task, restored.sequence)
  tasks.setRankBaseMs(task, restored.rankBaseMs)
  tasks.setDueAt(task, restored.dueAt)
  tasks.setExpiresAtMs(task, restored.expiresAtMs)
  tasks.setCreatedAtMs(task, restored.createdAtMs)
  if (restored.keyed) tasks.setFlag(task, FLAG_KEYED)
  if (restored.cancelRequested) tasks.setFlag(task, FLAG_CANCEL_REQUESTED)
  if (restored.cancelNote !== undefined) state.cancelNotes.set(task, restored.cancelNote)
  state.index.add(task)
  placeRestored(state, task, { restored, lease })
  return task
}

function placeRestored(
  state: EngineState,
  task: Row,
  from: { readonly restored: RestoredTask; readonly lease: RestoredLease | undefined },
): void {
  const { restored, lease } = from
  const { queue } = state.profileOf(task)
  if (lease !== undefined) {
    state.tasks.setState(task, restored.state)
    queue.addToCount(restored.state, 1)
    placeLease(state, {
      kind: 'task-leased',
      task,
      session: lease.session,
      token: lease.token,
      claim: lease.claim,
      leaseMs: lease.leaseMs,
      endTickMs: state.tickMs + lease.leaseMs,
      deadlineTickMs: lease.deadlineTickMs,
      atMs: lease.assignedAtMs,
    })
    if (lease.startedAtMs > 0) {
      state.leases.setStartedAtMs(state.tasks.lease(task), lease.startedAtMs)
    }
    return
  }
  if (restored.state === 'queued') {
    placeReady(state, task)
  } else {
    state.tasks.setState(task, restored.state)
    queue.addToCount(restored.state, 1)
    if (restored.state === 'scheduled') state.scheduled.insert(task, restored.dueAt)
    else state.retrying.insert(task, restored.dueAt)
  }
  if (restored.expiresAtMs > 0) state.expiry.insert(task, restored.expiresAtMs)
}
