// Which facts the log tells of: what is not normal at info, each transition of a task at debug.

import { unreachable } from '@tq/core'
import type { Fact } from '../engine/fact.ts'
import type { Logger } from './log.ts'

/** What a person needs to find a task again. */
export interface TaskNames {
  readonly task: string
  readonly queue: string
  readonly type: string
}

/** What a person calls the things that facts name by their numbers. */
export interface FactNames {
  readonly task: () => TaskNames
  readonly queue: (queueNumber: number) => string
  readonly worker: (session: number) => string
}

export function logFact(log: Logger, fact: Fact, names: FactNames): void {
  switch (fact.kind) {
    case 'queue-created':
      log.info({ event: 'queue-created', queue: fact.name, actor: fact.actor })
      return
    case 'queue-changed': {
      const { paused, pauseReason, actor } = fact
      const queue = names.queue(fact.number)
      log.info({ event: 'queue-changed', queue, paused, pauseReason, actor })
      return
    }
    case 'session-opened':
      if (fact.worker === undefined) return
      log.info({ event: 'worker-registered', ...fact.worker, session: fact.id })
      return
    case 'worker-lost':
      log.warn({ event: 'worker-lost', worker: names.worker(fact.session), leases: fact.leases })
      return
    case 'task-ended':
      if (fact.state !== 'dead') break
      log.info({
        event: 'task-dead',
        ...names.task(),
        reason: fact.reason,
        error: fact.error?.type,
      })
      return
    case 'task-enqueued':
    case 'task-due':
    case 'task-leased':
    case 'task-started':
    case 'task-released':
    case 'task-retried':
    case 'task-cancel-requested':
    case 'task-reprioritised':
    case 'task-redriven':
    case 'task-purged':
      break
    case 'session-closed':
    case 'lease-renewed':
    case 'leases-extended':
    case 'session-seen':
    case 'task-progressed':
    case 'clock-ticked':
      return
    default:
      unreachable(fact)
  }
  if (!log.shows('debug')) return
  const reason = 'reason' in fact ? { reason: fact.reason } : {}
  log.debug({ event: 'task-changed', fact: fact.kind, ...names.task(), ...reason })
}
