// Which of the named points a fact reaches.

import type { Arrivals } from './arrivals.ts'
import type { Heard } from './heard.ts'
import type { Model } from './model.ts'
import type { Trace } from './trace.ts'
import { limits } from '@tq/core'

/** @param around The model as it was before the fact. */
export function reachPoints(
  trace: Trace,
  { fact, id }: Heard,
  around: { readonly model: Model; readonly arrivals: Arrivals; readonly epoch: number },
): void {
  switch (fact.kind) {
    case 'task-released':
    case 'task-retried':
    case 'task-ended': {
      const task = around.model.task(id)
      const token = fact.attempt?.token
      const isByBroker = fact.actor === 'broker'
      if (isByBroker && token !== undefined && around.arrivals.isCompleting(token)) {
        trace.reach('a lease ended while its completion was under way')
      }
      switch (fact.reason) {
        case 'worker_lost':
          return trace.reach('a worker was found dead')
        case 'timed_out':
          return trace.reach('a task ran into its execution timeout')
        case 'losses_exhausted':
          return trace.reach('a task lost its worker too often')
        case 'attempts_exhausted':
          return trace.reach('a task failed too often')
        case 'expired':
          return trace.reach('a task expired before it was started')
        case 'unreadable_payload':
          return trace.reach('an unreadable payload set its task aside')
        case 'completed':
          return task.generation > 0 ? trace.reach('a redriven task completed') : undefined
        case 'cancelled':
          if (task.cancelRequested && isByBroker) {
            return trace.reach('a cancel was confirmed by the end of the lease')
          }
          return task.cancelRequested ? trace.reach('a held task was cancelled') : undefined
        default:
          return
      }
    }
    case 'task-redriven':
      return trace.reach('a task was redriven')
    case 'task-purged':
      return trace.reach('a queue was purged of waiting tasks')
    case 'session-closed':
      if (fact.reason === 'left') trace.reach('a worker left and its leases were given back')
      return
    case 'lease-renewed': {
      const { lease } = around.model.task(id)
      const epoch = Math.floor((lease?.token ?? 0) / limits.TOKENS_PER_EPOCH)
      if (epoch < around.epoch) trace.reach('a lease went on after a crash')
      return
    }
    default:
      return
  }
}
