// Tells workers at once what they must stop; heartbeats would tell them later anyway.

import type { StopOrder, StopReason } from '@tq/core'
import type { Fact } from '../engine/fact.ts'
import { NO_ROW } from '../engine/rows.ts'
import type { Conversation } from './conversation.ts'
import type { Partition } from './partition.ts'

export class StopBell {
  readonly #partition: Partition
  readonly #conversations: ReadonlySet<Conversation>

  constructor(partition: Partition, conversations: ReadonlySet<Conversation>) {
    this.#partition = partition
    this.#conversations = conversations
  }

  /** Hears a fact about a task; rings when it is durable. */
  heard(fact: Fact): void {
    if (fact.kind === 'task-cancel-requested') {
      const { leases, tasks } = this.#partition.state
      const lease = tasks.lease(fact.task)
      if (lease === NO_ROW) return
      const order: StopOrder = [tasks.id(fact.task), leases.token(lease), 'cancelled']
      this.#ringLater(leases.session(lease), order)
      return
    }
    const ended =
      fact.kind === 'task-released' || fact.kind === 'task-retried' || fact.kind === 'task-ended'
    if (!ended || fact.attempt === undefined) return
    const reason = stopReasonOf(fact)
    if (reason === undefined) return
    const id = this.#partition.state.tasks.id(fact.task)
    this.#ringLater(fact.attempt.session, [id, fact.attempt.token, reason])
  }

  #ringLater(session: number, order: StopOrder): void {
    const { key } = this.#partition.state.sessionAt(session)
    this.#partition.commits.whenDurable(() => {
      for (const conversation of this.#conversations) {
        if (conversation.sessionKey === key) conversation.push('stop', [order])
      }
    })
  }
}

/** Why the holder must stop; undefined if it ended the attempt itself. */
function stopReasonOf(
  fact: Extract<Fact, { kind: 'task-released' | 'task-retried' | 'task-ended' }>,
): StopReason | undefined {
  switch (fact.reason) {
    case 'lease_expired':
    case 'worker_lost':
    case 'losses_exhausted':
      return 'lost'
    case 'timed_out':
      return 'timed_out'
    default:
      return fact.actor === 'broker' && fact.kind === 'task-ended' ? 'lost' : undefined
  }
}
