// Every answer is checked as it leaves the broker: what it tells must be durable at that very moment.

import {
  type HeldTask,
  type ReplyOf,
  type Request,
  type ServerMessage,
  type StopOrder,
  type TqError,
} from '@tq/core'
import { type Arrivals, type Asked, nameOf } from './arrivals.ts'
import type { Chronicle } from './chronicle.ts'
import { hexOf, shortOf } from './heard.ts'
import { keyOf } from './model.ts'
import { type ModelTask, NOBODY } from './model-task.ts'
import type { Trace } from './trace.ts'

/** Verbs that show nothing of the state that a crash could undo. */
const HARMLESS: ReadonlySet<string> = new Set(['ping', 'abort', 'heartbeat'])

export class Answers {
  readonly #trace: Trace
  readonly #chronicle: Chronicle
  readonly #arrivals: Arrivals
  #hasFailed = false
  #isDiskDamaged = false

  constructor(trace: Trace, chronicle: Chronicle, arrivals: Arrivals) {
    this.#trace = trace
    this.#chronicle = chronicle
    this.#arrivals = arrivals
  }

  /** A broker listens again. */
  started(): void {
    this.#hasFailed = false
  }

  /** A commit failed: from now on nobody hears anything that matters. */
  failed(): void {
    this.#hasFailed = true
  }

  /** A record on disk is not what was written. */
  diskDamaged(): void {
    this.#isDiskDamaged = true
  }

  /** Judges an answer. */
  sent(asked: Asked, message: ServerMessage): void {
    const { request } = asked
    if (message.kind === 'push') return
    if (request.verb === 'claim') this.#arrivals.unparked(asked.session, request.claim)
    if (message.kind === 'refusal') return this.#refused(asked, message.error)
    // A backup that had begun goes on with what was durable before; none begins any more.
    const isBackup = request.verb === 'backup' && request.cursor !== undefined
    const isSaid = !this.#hasFailed || HARMLESS.has(request.verb) || isBackup
    this.#law(isSaid, asked, 'R4: nothing is acknowledged after a commit has failed')
    const isKnown = message.lsn <= this.#chronicle.durableLsn
    this.#law(isKnown, asked, `R1: commit ${message.lsn} is not durable when it is acknowledged`)
    this.#replied(asked, request, message.result)
  }

  pushed(channel: string, data: unknown): void {
    if (channel !== 'stop') return
    for (const [id, token, reason] of data as readonly StopOrder[]) {
      this.#trace.reach('a stop order was pushed')
      const task = this.#durable(id)
      const isOver = task.lease?.token !== token || task.cancelRequested
      this.#trace.law(
        isOver,
        `R3: token ${token} is told to stop (${reason}) before that is durable`,
      )
    }
  }

  #replied(asked: Asked, request: Request, result: unknown): void {
    switch (request.verb) {
      case 'enqueue':
        return this.#enqueued(asked, request, result as ReplyOf<'enqueue'>)
      case 'claim':
        return this.#claimed(asked, result as ReplyOf<'claim'>)
      case 'heartbeat':
        return this.#beaten(asked, request, result as ReplyOf<'heartbeat'>)
      case 'complete':
      case 'fail':
      case 'release':
        return this.#endedAttempts(asked, request.tasks, result as ReplyOf<'release'>)
      case 'cancel':
        return this.#cancelled(asked, request.ids, result as ReplyOf<'cancel'>)
      case 'redrive':
      case 'set-priority':
        for (const id of request.ids) this.#durable(id)
        return
      case 'register': {
        const isDurable = this.#chronicle.durable.workers.has(asked.session)
        return this.#law(isDurable, asked, 'R3: a registered worker is durable')
      }
      case 'queue-pause':
      case 'queue-resume':
      case 'queue-set':
        return this.#law(
          this.#chronicle.durable.queues.has(request.queue),
          asked,
          'R3: a set queue is durable',
        )
      case 'get': {
        const { id, lease, end } = result as ReplyOf<'get'>
        const task = this.#durable(id)
        const isLeased = lease === undefined || task.tokens.includes(lease.token)
        this.#law(isLeased, asked, 'R3: a lease is shown after it is durable')
        const isEnded = end === undefined || task.end !== undefined || task.generation > 0
        return this.#law(isEnded, asked, 'R3: an end is shown after it is durable')
      }
      case 'wait': {
        const { done, task } = result as ReplyOf<'wait'>
        if (!done || task === undefined) return
        this.#trace.reach('a waiting request heard of the end of its task')
        const known = this.#durable(task.id)
        const isEnded = known.end !== undefined || known.generation > 0
        return this.#law(isEnded, asked, 'R3: a wait ends after the end is durable')
      }
      case 'list':
        return this.#listed(asked, result as ReplyOf<'list'>)
      default:
        return
    }
  }

  #enqueued(
    asked: Asked,
    request: Extract<Request, { verb: 'enqueue' }>,
    reply: ReplyOf<'enqueue'>,
  ): void {
    this.#law(reply.count === request.tasks.length, asked, 'I7: an enqueue takes all of its tasks')
    const existing = new Set(reply.existing)
    for (const [index, spec] of request.tasks.entries()) {
      const id = reply.ids?.[index] ?? spec.id
      if (id === undefined) {
        this.#law(false, asked, 'the broker names the ids that it made')
        continue
      }
      const task = this.#durable(id)
      const key = spec.options?.idempotencyKey
      const isOwn = spec.id !== undefined && hexOf(id) === hexOf(spec.id)
      this.#law(isOwn || key !== undefined, asked, 'I6: only a key gives a task another id')
      if (isOwn && existing.has(index)) {
        this.#trace.reach('a re-sent enqueue found its task')
        if (task.end !== undefined && !task.kept) {
          this.#trace.reach('a re-sent enqueue found its task though nothing of it is kept')
        }
      }
      if (key === undefined || isOwn) continue
      this.#trace.reach('an idempotency key found its task')
      const known = this.#chronicle.durable.keys.get(keyOf(request.queue, key))
      // Its window may have ended while the answer waited for a slow commit; then it names another.
      const isGivenAnew = known !== undefined && known.monotonicMs >= asked.atMs
      this.#law(
        known === undefined || known.id === hexOf(id) || isGivenAnew,
        asked,
        'I6: a key names its one task',
      )
    }
  }

  #claimed(asked: Asked, reply: ReplyOf<'claim'>): void {
    const { request } = asked
    if (request.verb !== 'claim') return
    this.#law(reply.tasks.length <= request.max, asked, 'a claim gets at most what it asked for')
    const longestMs = (request.leaseMs ?? 15_000) + this.#chronicle.live.extendedMs
    this.#law(reply.leaseMs <= longestMs, asked, 'I11: no more time is promised than was given')
    if (request.waitMs > 0) {
      this.#trace.reach(
        reply.tasks.length > 0 ? 'a parked claim was served' : 'a parked claim was answered empty',
      )
    }
    for (const [id, token, queue, type, attempt, payload] of reply.tasks) {
      const task = this.#durable(id)
      this.#law(
        task.tokens.includes(token),
        asked,
        `R2: token ${token} is durable before it is told`,
      )
      const isSame = task.queue === queue && task.type === type && request.queues.includes(queue)
      this.#law(isSame, asked, `${shortOf(hexOf(id))} is delivered as what it is`)
      const isWhole = Buffer.compare(payload, task.payload) === 0
      this.#law(isWhole, asked, `I25: the payload of ${shortOf(hexOf(id))} is delivered unharmed`)
      this.#law(attempt >= 1, asked, 'attempts count from one')
      const { lease } = task
      if (lease?.token === token && lease.event < asked.event) {
        this.#trace.reach('a re-sent claim got its leases again')
      }
    }
  }

  #beaten(
    asked: Asked,
    request: Extract<Request, { verb: 'heartbeat' }>,
    reply: ReplyOf<'heartbeat'>,
  ): void {
    const stopped = new Set((reply.stop ?? []).map(([id, token]) => nameOf({ id, token })))
    for (const lease of request.leases) {
      const name = nameOf(lease)
      if (!asked.stale.has(name)) continue
      this.#law(stopped.has(name), asked, `I3: token ${lease.token} is stale and must stop`)
    }
    for (const [id, token, reason] of reply.stop ?? []) {
      if (reason === 'unknown') continue
      this.#trace.reach('a heartbeat told a zombie to stop')
      const task = this.#chronicle.durable.tasks.get(hexOf(id))
      const isOver = task?.lease?.token !== token || task.cancelRequested
      this.#law(isOver, asked, `R3: token ${token} must stop (${reason}) before that is durable`)
    }
    if ((reply.released ?? 0) > 0) {
      this.#trace.reach('a heartbeat gave back leases whose reply was lost')
    }
  }

  /** Items that went well are over, durably, by the token that was presented. */
  #endedAttempts(asked: Asked, items: readonly HeldTask[], reply: ReplyOf<'release'>): void {
    const { verb } = asked.request
    const refused = new Map((reply.refused ?? []).map(([index, code]) => [index, code] as const))
    const already = new Set(reply.already)
    for (const [index, item] of items.entries()) {
      const code = refused.get(index)
      if (code !== undefined) {
        this.#refusedItem(asked, item, code)
        continue
      }
      if (already.has(index) && verb === 'complete') {
        this.#trace.reach('a completion was re-sent and had happened already')
      }
      const task = this.#durable(item.id)
      this.#law(task.tokens.includes(item.token), asked, 'I3: only a holder ends an attempt')
      const isOver = task.lease?.token !== item.token
      this.#law(
        isOver,
        asked,
        `R1: the end of token ${item.token} is acknowledged before it is durable`,
      )
      if (verb !== 'complete') continue
      const isCompleted = task.end?.state === 'completed' && task.end.token === item.token
      this.#law(isCompleted, asked, `R1: ${shortOf(task.id)} is completed by token ${item.token}`)
    }
  }

  #refusedItem(asked: Asked, item: HeldTask, code: string): void {
    const task = this.#chronicle.live.tasks.get(hexOf(item.id))
    const isHolder = task?.lease !== undefined && task.lease.token === item.token
    if (code === 'STALE_LEASE' || code === 'NOT_FOUND') {
      this.#law(!isHolder, asked, `token ${item.token} holds its task and is refused as ${code}`)
      if (asked.request.verb === 'complete') {
        this.#trace.reach('a completion came too late and was refused')
      }
    }
    if (code === 'INVALID_STATE' && asked.request.verb === 'complete') {
      this.#trace.reach('a completion was refused because of a cancel')
      const isPermitted = !isHolder || task.cancelRequested
      this.#law(isPermitted, asked, 'only a cancel refuses the completion of its holder')
    }
  }

  #cancelled(asked: Asked, ids: readonly Uint8Array[], reply: ReplyOf<'cancel'>): void {
    for (const [index, id] of ids.entries()) {
      const outcome = reply.outcomes[index] ?? null
      if (outcome === null) continue
      const task = this.#durable(id)
      // A cancel may be over before its answer leaves: then the task has ended, or lives again.
      const isOver = task.end !== undefined || task.generation > 0
      const isAsked = outcome === 'requested' && task.cancelRequested
      this.#law(isOver || isAsked, asked, `R1: the cancel of ${shortOf(task.id)} is durable`)
    }
  }

  #listed(asked: Asked, reply: ReplyOf<'list'>): void {
    const seen = new Set<string>()
    for (const { id } of reply.tasks) {
      this.#durable(id)
      this.#law(!seen.has(hexOf(id)), asked, `a list names ${shortOf(hexOf(id))} once`)
      seen.add(hexOf(id))
    }
  }

  #refused(asked: Asked, error: TqError): void {
    const { request } = asked
    const { code } = error
    if (code === 'OUTCOME_UNKNOWN') this.#trace.reach('OUTCOME_UNKNOWN was answered')
    if (code === 'RESOURCE_EXHAUSTED') this.#trace.reach('RESOURCE_EXHAUSTED was answered')
    if (code === 'CONFLICT') this.#trace.reach('an idempotency key was used for another request')
    if (code === 'INTERNAL' && request.verb === 'backup' && this.#isDiskDamaged) {
      this.#trace.reach('a backup of a damaged disk was refused')
      return
    }
    const isBug = code === 'INTERNAL' || code === 'BAD_REQUEST' || code === 'FORBIDDEN'
    this.#law(!isBug, asked, `nobody sends what must be refused as ${code}: ${error.message}`)
    if (code === 'OUTCOME_UNKNOWN' && request.verb === 'enqueue') {
      const isOurs = request.tasks.every(({ id }) => id === undefined)
      this.#law(!isOurs, asked, 'I6: ids that the broker makes are new')
      this.#law(!asked.isLive, asked, 'I6: a task that lives is not unknown')
    }
  }

  /** The task as it is durable now; it must be. */
  #durable(id: Uint8Array): ModelTask {
    const task = this.#chronicle.durable.tasks.get(hexOf(id))
    if (task !== undefined) return task
    this.#trace.violate(`R3: task ${shortOf(hexOf(id))} is told of before it is durable`)
    return this.#chronicle.live.tasks.get(hexOf(id)) ?? NOBODY
  }

  #law(holds: boolean, asked: Asked, law: string): void {
    this.#trace.law(holds, () => `${law}; answer to ${asked.request.verb}`)
  }
}
