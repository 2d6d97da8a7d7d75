// What time brings, in one bounded step: due tasks, ended leases, deadlines, dead workers.

import { limits } from '@tq/core'
import { chancesFrom } from './chance.ts'
import { closeSilent, tasksOf } from './decide-session.ts'
import type { Turn } from './decision.ts'
import { failAttempt, loseAttempt } from './end-attempt.ts'
import { NO_ROW } from './rows.ts'
import type { Session } from './session.ts'
import type { EngineState } from './state.ts'

export interface ExpireDecision {
  /** True if the step was full: there is more to do at once. */
  readonly more: boolean
}

export function decideExpire(turn: Turn): ExpireDecision {
  const budget = { left: limits.STEP_ITEMS_MAX }
  promoteDue(turn, budget)
  expireWaiting(turn, budget)
  endOverdueAttempts(turn, budget)
  endLeases(turn, budget)
  endDeadWorkers(turn, budget)
  return { more: budget.left <= 0 }
}

/** The moments at which something becomes due next; Infinity where nothing will. */
export function nextDue(state: EngineState): { readonly tickMs: number; readonly wallMs: number } {
  return {
    tickMs: Math.min(
      state.retrying.firstKey(),
      state.leaseEnds.firstKey(),
      state.deadlines.firstKey(),
    ),
    wallMs: Math.min(state.scheduled.firstKey(), state.expiry.firstKey()),
  }
}

interface Budget {
  left: number
}

function promoteDue(turn: Turn, budget: Budget): void {
  const { scheduled, retrying } = turn.state
  for (; budget.left > 0 && scheduled.firstKey() <= turn.wallMs; budget.left -= 1) {
    turn.emit({ kind: 'task-due', task: scheduled.first() })
  }
  for (; budget.left > 0 && retrying.firstKey() <= turn.tickMs; budget.left -= 1) {
    turn.emit({ kind: 'task-due', task: retrying.first() })
  }
}

function expireWaiting(turn: Turn, budget: Budget): void {
  const { expiry } = turn.state
  for (; budget.left > 0 && expiry.firstKey() <= turn.wallMs; budget.left -= 1) {
    turn.emit({
      kind: 'task-ended',
      task: expiry.first(),
      state: 'expired',
      reason: 'expired',
      result: undefined,
      error: undefined,
      note: undefined,
      attempt: undefined,
      counts: 'nothing',
      atMs: turn.wallMs,
      actor: turn.actor,
    })
  }
}

function endOverdueAttempts(turn: Turn, budget: Budget): void {
  const { deadlines, leases, tasks } = turn.state
  const chances = chancesFrom(turn.chance)
  for (; budget.left > 0 && deadlines.firstKey() <= turn.tickMs; budget.left -= 1) {
    const task = leases.task(deadlines.first())
    const message = `it ran longer than its execution timeout of ${tasks.timeoutMs(task)} ms`
    failAttempt(turn, task, {
      reason: 'timed_out',
      error: { message, type: 'ExecutionTimeout' },
      retryable: true,
      retryAfterMs: undefined,
      chance: chances(),
    })
  }
}

function endLeases(turn: Turn, budget: Budget): void {
  const { leaseEnds, leases } = turn.state
  for (; budget.left > 0 && leaseEnds.firstKey() <= turn.tickMs; budget.left -= 1) {
    loseAttempt(turn, leases.task(leaseEnds.first()), 'lease_expired')
  }
}

function endDeadWorkers(turn: Turn, budget: Budget): void {
  const { workerDeadMs, sessionIdleMs } = turn.state.options
  for (const worker of turn.state.workersBySilence) {
    const silentMs = turn.tickMs - worker.lastSeenTickMs
    if (budget.left <= 0 || silentMs < Math.min(workerDeadMs, sessionIdleMs)) break
    if (silentMs >= workerDeadMs) endWorker(turn, worker, budget)
    if (silentMs >= sessionIdleMs && worker.firstLease === NO_ROW) {
      closeSilent(turn, worker)
      budget.left -= 1
    }
  }
  for (const guest of turn.state.guestsBySilence) {
    if (budget.left <= 0 || turn.tickMs - guest.lastSeenTickMs < sessionIdleMs) break
    if (guest.firstLease !== NO_ROW) continue
    closeSilent(turn, guest)
    budget.left -= 1
  }
}

function endWorker(turn: Turn, session: Session, budget: Budget): void {
  const held = tasksOf(turn, session).slice(0, budget.left)
  if (held.length === 0) return
  for (const task of held) loseAttempt(turn, task, 'worker_lost')
  budget.left -= held.length
  turn.emit({
    kind: 'worker-lost',
    session: session.index,
    leases: held.length,
    atMs: turn.wallMs,
  })
}
