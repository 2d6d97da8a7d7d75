// Asks for work while slots are free: never for more tasks than there are free slots.

import { limits, type ReplyOf, type Timer, TqError } from '@tq/core'
import { backoffMs } from '../backoff.ts'
import type { Call } from '../call.ts'
import type { Session } from '../session.ts'

export interface ClaimPlan {
  readonly queues: readonly string[]
  readonly leaseMs: number
  /** How long the broker may hold a claim until there is work, in ms. */
  readonly waitMs: number
  readonly order: 'round' | 'strict'
  readonly weights?: Readonly<Record<string, number>>
  readonly minPriority?: number
}

export interface ClaimerEvents {
  /** Slots that have no task, whether a claim asks for them or not. */
  freeSlots(): number
  /** @param grantedAtMs As if granted at this moment of the monotonic clock: none ends sooner. */
  claimed(tasks: ReplyOf<'claim'>['tasks'], grantedAtMs: number): void
  /** The leases of all claims up to this number have been handed over. */
  received(claim: number): void
  refused(error: TqError): void
}

/** What is left is told in whole ticks of the broker's clock. */
const TICK_MS = 1
/** Claims on their way at a time. Slots that come free one by one then share the next claim. */
const CLAIMS_OPEN_MAX = 4

export class Claimer {
  readonly #session: Session
  readonly #plan: ClaimPlan
  readonly #events: ClaimerEvents
  readonly #open = new Set<Call>()
  #askedFor = 0
  #refusals = 0
  #pause: Timer | undefined
  #isPumpDue = false
  #isStopped = false
  #answeredAtMs: number | undefined
  #whenEmpty: (() => void) | undefined

  constructor(session: Session, plan: ClaimPlan, events: ClaimerEvents) {
    this.#session = session
    this.#plan = plan
    this.#events = events
  }

  /** When the last claim was answered, by the monotonic clock. */
  get answeredAtMs(): number | undefined {
    return this.#answeredAtMs
  }

  /** Claims at the end of this turn, if slots are free then. */
  pump(): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    this.#session.atTurnEnd(() => {
      this.#isPumpDue = false
      this.#claim()
    })
  }

  /** Claims no more; resolves when no leases can arrive any more. */
  stop(): Promise<void> {
    this.#isStopped = true
    this.#pause?.cancel()
    for (const call of this.#open) this.#session.abort(call, new Error('the worker stops'))
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => (this.#whenEmpty = resolve))
  }

  #claim(): void {
    if (this.#isStopped || this.#pause !== undefined || this.#open.size >= CLAIMS_OPEN_MAX) return
    const free = this.#events.freeSlots() - this.#askedFor
    const max = Math.min(free, limits.ITEMS_PER_REQUEST_MAX)
    if (max < 1) return
    const claim = this.#session.claims.next()
    this.#askedFor += max
    const close = (): void => {
      if (call !== undefined) this.#open.delete(call)
      this.#askedFor -= max
      this.#session.claims.close(claim)
    }
    let call: Call | undefined
    call = this.#session.send({
      request: { verb: 'claim', claim, max, start: true, ...this.#plan },
      deadlineAtMs: Infinity,
      done: (reply: ReplyOf<'claim'>) => {
        close()
        this.#take(reply, call?.firstSentAtMs)
      },
      failed: (error) => {
        close()
        this.#refuse(error)
      },
    })
    if (call.state !== 'settled') this.#open.add(call)
  }

  #take(reply: ReplyOf<'claim'>, sentAtMs = 0): void {
    this.#refusals = 0
    this.#answeredAtMs = this.#session.settings.clock.monotonicMs()
    if (reply.tasks.length > 0) {
      this.#events.claimed(reply.tasks, this.#grantedAtMs(reply.leaseMs, sentAtMs))
    }
    // After `claimed`: a heartbeat may not count this claim before it names its leases.
    this.#events.received(this.#session.claims.received)
    this.#goOn()
  }

  /**
   * A lease begins after its claim was sent, and ends `leftMs` after its answer was written. That was
   * after everything answered before it was sent; but it may have been granted long before, while a
   * slow commit kept its answer back and others, which wait for none, went ahead.
   */
  #grantedAtMs(leftMs: number, sentAtMs: number): number {
    const { leaseMs } = this.#plan
    const endsAtMs = this.#session.answeredSentAtMs + leftMs - TICK_MS
    return Math.max(sentAtMs, endsAtMs - leaseMs)
  }

  #refuse(error: unknown): void {
    this.#events.received(this.#session.claims.received)
    if (!this.#isStopped && error instanceof TqError) {
      this.#refusals += 1
      this.#events.refused(error)
      this.#pauseClaims()
    }
    this.#goOn()
  }

  #pauseClaims(): void {
    const { reconnect, random, scheduler } = this.#session.settings
    const delayMs = backoffMs(reconnect, this.#refusals, random.chance())
    this.#pause ??= scheduler.after(delayMs, () => {
      this.#pause = undefined
      this.pump()
    })
  }

  #goOn(): void {
    if (!this.#isStopped) return this.pump()
    if (this.#open.size === 0) this.#whenEmpty?.()
  }
}
