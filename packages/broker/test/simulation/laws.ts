// What no fact may break: each is judged against the reference model before the model follows it.

import {
  compareHeads,
  isTransition,
  limits,
  TASK_STATES,
  type ClaimRequest,
  type TaskState,
} from '@tq/core'
import { meets } from '../../src/engine/lane.ts'
import type { Fact } from '../../src/engine/fact.ts'
import { type Heard, hexOf, shortOf } from './heard.ts'
import { keyOf, type Model } from './model.ts'
import type { ModelTask } from './model-task.ts'
import type { Trace } from './trace.ts'

/** What has come may wait so long for room in a commit before time waits as well, in ms. */
const HELD_UP_MS = 250

/** What the laws need to know that the facts do not tell. */
export interface Surroundings {
  readonly epoch: number
  readonly workerDeadMs: number
  /** The claim with this number in this session, as it was received last. */
  readonly claimOf: (session: string, claim: number) => ClaimRequest | undefined
  /** When the session was last heard from, on the world's clock. */
  readonly contactMs: (session: string) => number
  /** When a heartbeat last named this token, on the world's clock; 0 if none did. */
  readonly renewedMs: (token: number) => number
  /** How long the broker stood still since then, as far as it must have noticed, in ms. */
  readonly stalledMs: (sinceMs: number) => number
  readonly isCorrupted: (id: string) => boolean
  /** A worker that could know better goes on under this token. */
  readonly goesOn: (token: number) => boolean
}

type FactOf<K extends Fact['kind']> = Extract<Fact, { kind: K }>

export class Laws {
  readonly #trace: Trace
  readonly #model: Model
  readonly #around: Surroundings

  constructor(trace: Trace, model: Model, around: Surroundings) {
    this.#trace = trace
    this.#model = model
    this.#around = around
  }

  judge(heard: Heard): void {
    const { fact } = heard
    switch (fact.kind) {
      case 'task-enqueued':
        return this.#enqueued(heard, fact)
      case 'task-due':
        return this.#due(heard)
      case 'task-leased':
        return this.#leased(heard, fact)
      case 'task-started':
        return this.#started(heard)
      case 'task-released':
        return this.#released(heard, fact)
      case 'task-retried':
        return this.#retried(heard, fact)
      case 'task-ended':
        return this.#ended(heard, fact)
      case 'task-cancel-requested': {
        const task = this.#known(heard)
        this.#law(isHeld(task), heard, 'only a held task waits for its worker to confirm a cancel')
        return this.#law(!task.cancelRequested, heard, 'a cancel is requested once')
      }
      case 'task-redriven':
        return this.#redriven(heard)
      case 'task-purged':
        return this.#law(!isHeld(this.#known(heard)), heard, 'a purge leaves held tasks alone')
      case 'lease-renewed': {
        const { lease } = this.#known(heard)
        const fullMs = heard.at.tickMs + (lease?.leaseMs ?? 0)
        return this.#law(fact.endTickMs === fullMs, heard, 'I11: a renewal gives the full time')
      }
      case 'task-reprioritised':
        return this.#law(
          this.#known(heard).end === undefined,
          heard,
          'I5: an ended task stays as it is',
        )
      case 'session-closed': {
        const held = [...this.#model.live.values()].some(
          ({ lease }) => lease?.session === heard.session,
        )
        return this.#law(!held, heard, 'a session that holds leases is not closed')
      }
      default:
        return
    }
  }

  #enqueued(heard: Heard, fact: FactOf<'task-enqueued'>): void {
    this.#law(!this.#model.tasks.has(heard.id), heard, 'I6: an id is enqueued once, for ever')
    this.#law(fact.sequence >= this.#model.nextSequence, heard, 'sequences only grow')
    const name = fact.options?.idempotencyKey
    if (name === undefined) return
    const known = this.#model.keys.get(keyOf(fact.profile.queue.name, name))
    this.#law(known === undefined, heard, 'I6: an idempotency key makes one task')
  }

  #due(heard: Heard): void {
    const task = this.#known(heard)
    this.#moves(heard, task, { to: 'queued', reason: 'due' })
    const now = task.state === 'scheduled' ? heard.at.wallMs : heard.at.tickMs
    this.#law(now >= task.dueAt, heard, 'no task is due before its time')
  }

  #leased(heard: Heard, fact: FactOf<'task-leased'>): void {
    const { id, session } = heard
    const model = this.#model
    const task = this.#known(heard)
    this.#law(task.lease === undefined, heard, 'I2: at most one lease holds a task')
    this.#moves(heard, task, { to: 'assigned', reason: 'claimed' })
    const isNew = fact.token > model.lastToken && task.tokens.every((token) => token < fact.token)
    this.#law(isNew, heard, 'I4: tokens only grow')
    const isOfEpoch = Math.floor(fact.token / limits.TOKENS_PER_EPOCH) >= this.#around.epoch
    this.#law(isOfEpoch, heard, 'I4: a token shows the epoch in which it was given')
    this.#law(
      model.queues.get(task.queue)?.paused === false,
      heard,
      'a paused queue hands out nothing',
    )
    const labels = model.sessions.get(session)?.labels
    this.#law(meets(labels, task.requires), heard, 'a worker gets what its labels meet')
    this.#law(
      fact.endTickMs === heard.at.tickMs + fact.leaseMs,
      heard,
      'I11: a lease has its full time',
    )
    for (const other of model.live.values()) {
      const isTwin = other.lease?.session === session && other.lease.claim === fact.claim
      if (!isTwin || other.lease?.event === heard.event) continue
      this.#law(false, heard, `I24: claim ${fact.claim} holds ${shortOf(other.id)} already`)
    }
    const claim = this.#around.claimOf(session, fact.claim)
    if (claim === undefined) return this.#law(false, heard, 'a lease answers a claim')
    const ahead = this.#firstOf(task.queue, { session, claim })
    this.#law(ahead?.id === id, heard, `I10: ${shortOf(ahead?.id ?? '')} goes first`)
    if (claim.order !== 'strict') return
    for (const queue of claim.queues.slice(0, claim.queues.indexOf(task.queue))) {
      const passed = this.#firstOf(queue, { session, claim })
      this.#law(passed === undefined, heard, `I10: queue ${queue} was named first`)
    }
  }

  /** The task that a claim must get first from a queue; undefined if it gets none. */
  firstFor(
    queue: string,
    by: { readonly session: string; readonly claim: ClaimRequest },
  ): ModelTask | undefined {
    return this.#firstOf(queue, by)
  }

  #firstOf(
    queue: string,
    by: { readonly session: string; readonly claim: ClaimRequest },
  ): ModelTask | undefined {
    const known = this.#model.queues.get(queue)
    if (known === undefined || known.paused) return undefined
    const labels = this.#model.sessions.get(by.session)?.labels
    const { order: kind, agingMsPerLevel } = known.settings
    let first: ModelTask | undefined
    for (const task of this.#model.live.values()) {
      if (task.state !== 'queued' || task.queue !== queue) continue
      if (task.priority < (by.claim.minPriority ?? 0) || !meets(labels, task.requires)) continue
      if (first === undefined || compareHeads(task, first, { kind, agingMsPerLevel }) < 0)
        first = task
    }
    return first
  }

  #started(heard: Heard): void {
    const task = this.#known(heard)
    this.#moves(heard, task, { to: 'running', reason: 'started' })
    this.#law(!task.cancelRequested, heard, 'what is to be cancelled is not started')
  }

  #released(heard: Heard, fact: FactOf<'task-released'>): void {
    const task = this.#known(heard)
    this.#moves(heard, task, { to: 'queued', reason: fact.reason })
    this.#byHolder(heard, task, fact.attempt.token)
    this.#law(!task.cancelRequested, heard, 'I18: the end of a lease confirms a requested cancel')
    if (!fact.lost) return
    this.#law(task.losses + 1 < task.maxLost, heard, 'I13: losses stay below maxLost')
    this.#lost(heard, task, fact.reason)
  }

  #retried(heard: Heard, fact: FactOf<'task-retried'>): void {
    const task = this.#known(heard)
    this.#moves(heard, task, { to: 'retrying', reason: fact.reason })
    this.#byHolder(heard, task, fact.attempt.token)
    this.#law(!task.cancelRequested, heard, 'I18: the end of a lease confirms a requested cancel')
    this.#law(task.failures + 1 < task.maxAttempts, heard, 'I13: failures stay below maxAttempts')
    this.#law(fact.dueTickMs >= heard.at.tickMs, heard, 'a backoff ends in the future')
    if (fact.reason === 'timed_out') this.#timedOut(heard, task)
  }

  #ended(heard: Heard, fact: FactOf<'task-ended'>): void {
    const task = this.#known(heard)
    this.#law(task.end === undefined, heard, 'I5: an ended task stays as it is')
    this.#moves(heard, task, { to: fact.state, reason: fact.reason })
    if (isHeld(task)) this.#byHolder(heard, task, fact.attempt?.token)
    if (task.cancelRequested) {
      const isPermitted = fact.state === 'cancelled' || fact.reason === 'unreadable_payload'
      this.#law(isPermitted, heard, 'I18: after a requested cancel no attempt ends otherwise')
    }
    switch (fact.reason) {
      case 'cancelled':
        return this.#law(!isHeld(task) || task.cancelRequested, heard, 'a held task is asked first')
      case 'attempts_exhausted':
        return this.#law(task.failures + 1 >= task.maxAttempts, heard, 'I13: all attempts are used')
      case 'losses_exhausted':
        this.#law(task.losses + 1 >= task.maxLost, heard, 'I13: all losses are used')
        return this.#law(fact.counts === 'loss', heard, 'a loss is counted as one')
      case 'expired': {
        const isOver = task.expiresAtMs > 0 && heard.at.wallMs >= task.expiresAtMs
        return this.#law(isOver, heard, 'no task expires before its time')
      }
      case 'unreadable_payload':
        return this.#law(
          this.#around.isCorrupted(heard.id),
          heard,
          'only a damaged payload is unreadable',
        )
      default:
        return
    }
  }

  #redriven(heard: Heard): void {
    const task = this.#known(heard)
    if (task.end === undefined) return this.#law(false, heard, 'only an ended task is redriven')
    this.#law(task.end.state !== 'completed', heard, 'I5: a completed task stays as it is')
    this.#law(task.kept, heard, 'only what is kept is redriven')
  }

  #lost(heard: Heard, task: ModelTask, reason: string): void {
    const nowMs = heard.at.monotonicMs
    const { lease } = task
    if (lease === undefined) return
    // The tick clock counts whole ms: it may be ahead of a lease's own start by a part of one.
    if (reason === 'lease_expired') {
      const heardMs = this.#around.renewedMs(lease.token)
      const isHeard = nowMs - heardMs >= HELD_UP_MS
      const sinceMs = isHeard ? Math.max(lease.renewedAtMs, heardMs) : lease.renewedAtMs
      const endsAtMs = sinceMs + lease.leaseMs + this.#around.stalledMs(sinceMs)
      const isFenced = !this.#around.goesOn(lease.token)
      this.#law(isFenced, heard, 'I2: a worker stops by itself before its lease ends')
      return this.#law(nowMs + 1 >= endsAtMs, heard, 'I11: no lease ends before its time')
    }
    const seenMs = this.#around.contactMs(lease.session)
    const silentMs = nowMs - seenMs - this.#around.stalledMs(seenMs)
    const isSilent = silentMs + 1 >= this.#around.workerDeadMs || nowMs - seenMs < HELD_UP_MS
    this.#law(isSilent, heard, `I11: a worker heard ${silentMs.toFixed(0)} ms ago is not dead`)
  }

  #timedOut(heard: Heard, task: ModelTask): void {
    const deadline = task.lease?.deadlineTickMs ?? 0
    this.#law(deadline > 0 && heard.at.tickMs >= deadline, heard, 'no attempt times out too early')
  }

  #byHolder(heard: Heard, task: ModelTask, token: number | undefined): void {
    const isHolder = task.lease !== undefined && task.lease.token === token
    this.#law(isHolder, heard, 'I3: only the current token ends an attempt')
  }

  #moves(heard: Heard, task: ModelTask, move: { to: TaskState; reason: string }): void {
    const isAllowed = isTransition(task.state, move.to, move.reason as never)
    this.#law(isAllowed, heard, `${task.state} does not become ${move.to} by ${move.reason}`)
  }

  #known(heard: Heard): ModelTask {
    return this.#model.task(heard.id)
  }

  #law(holds: boolean, heard: Heard, law: string): void {
    this.#trace.law(holds, () => `${law}; task ${shortOf(heard.id)}, fact ${heard.fact.kind}`)
  }
}

function isHeld(task: ModelTask): boolean {
  return TASK_STATES[task.state].held
}

/** A fact as one line of the trace. */
export function lineOf({ fact, id, session }: Heard): string {
  const of = id === '' ? shortOf(session) : shortOf(id)
  switch (fact.kind) {
    case 'task-leased':
      return `${fact.kind} ${of} to ${shortOf(session)} claim ${fact.claim} token ${fact.token}`
    case 'task-released':
    case 'task-retried':
      return `${fact.kind} ${of} ${fact.reason}`
    case 'task-ended':
      return `${fact.kind} ${of} ${fact.state} ${fact.reason}`
    case 'task-enqueued':
      return `${fact.kind} ${of} ${fact.profile.queue.name} p${fact.priority}`
    case 'session-opened':
      return `${fact.kind} ${shortOf(hexOf(fact.id))}`
    default:
      return `${fact.kind} ${of}`
  }
}
