// Who may speak for a held task: the one check of token and principal for all that ends an attempt.

import { formatTaskId, type HeldTask } from '@tq/core'
import type { EndedTasks } from './command.ts'
import { type Refusal, refuse, type Turn } from './decision.ts'
import type { AttemptRecord, EndRecord } from './fact.ts'
import { NO_ROW, type Row } from './rows.ts'
import type { EngineState } from './state.ts'

/** A task that the sender holds now, one that has ended before, or why neither is so. */
export type Holding =
  | { readonly kind: 'held'; readonly task: Row; readonly lease: Row }
  | { readonly kind: 'ended'; readonly end: EndRecord }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Finds the task behind `id` and `token`. `ended`: that very token ended it, and how. */
export function holdingOf(turn: Turn, item: HeldTask, ended: EndedTasks | undefined): Holding {
  const { state } = turn
  const task = state.index.find(item.id)
  if (task === undefined) return endedHolding(item, ended?.get(hexOf(item.id))?.end)
  const end = state.ends.get(task)
  if (end !== undefined) return endedHolding(item, end)
  const lease = state.tasks.lease(task)
  if (lease === NO_ROW || state.leases.token(lease) !== item.token) return stale(item)
  const { principal } = state.sessionAt(state.leases.session(lease))
  if (principal !== turn.actor) {
    const text = `task ${formatTaskId(item.id)} is leased to another principal`
    return { kind: 'refused', refusal: refuse('FORBIDDEN', text) }
  }
  return { kind: 'held', task, lease }
}

/** What a chapter of history tells about the attempt under this lease. */
export function attemptRecordOf(state: EngineState, task: Row, lease: Row): AttemptRecord {
  const { leases } = state
  return {
    attempt: state.tasks.attempt(task),
    token: leases.token(lease),
    worker: state.sessionAt(leases.session(lease)).displayName,
    session: leases.session(lease),
    assignedAtMs: leases.assignedAtMs(lease),
    startedAtMs: leases.startedAtMs(lease),
  }
}

export function hexOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
}

function endedHolding(item: HeldTask, end: EndRecord | undefined): Holding {
  if (end === undefined) {
    const text = `no task ${formatTaskId(item.id)}: it never was, or it ended and was not kept`
    return { kind: 'refused', refusal: refuse('NOT_FOUND', text) }
  }
  return end.attempt?.token === item.token ? { kind: 'ended', end } : stale(item)
}

function stale(item: HeldTask): Holding {
  const text = `token ${item.token} does not hold task ${formatTaskId(item.id)} any more`
  return { kind: 'refused', refusal: refuse('STALE_LEASE', text) }
}
