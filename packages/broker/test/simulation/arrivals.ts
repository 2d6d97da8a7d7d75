// What reaches the broker: who spoke when, which claims wait, and what was true when a request came.

import type { ClaimRequest, HeldTask, Request } from '@tq/core'
import type { Chronicle } from './chronicle.ts'
import { hexOf } from './heard.ts'
import type { Trace } from './trace.ts'

/** A request as it reached the broker, with what was already true then. */
export interface Asked {
  readonly request: Request
  readonly session: string
  /** Of a heartbeat: the leases it names that were over when it came. */
  readonly stale: ReadonlySet<string>
  /** Of an enqueue: all of its tasks were live when it came. */
  readonly isLive: boolean
  /** Number of the world's event in which it came. */
  readonly event: number
  readonly atMs: number
}

/** A claim that may be parked. */
export interface WaitingClaim {
  readonly session: string
  readonly claim: ClaimRequest
  readonly untilMs: number
}

export class Arrivals {
  readonly #trace: Trace
  readonly #chronicle: Chronicle
  readonly #claims = new Map<string, ClaimRequest>()
  /** Claims that came and have neither been answered nor been given anything. */
  readonly #waiting = new Map<string, WaitingClaim>()
  readonly #contacts = new Map<string, number>()
  /** When the broker itself took note of a session. */
  readonly #seen = new Map<string, number>()
  readonly #renewals = new Map<number, number>()
  readonly #completing = new Set<number>()
  #startedAtMs = 0
  #count = 0

  constructor(trace: Trace, chronicle: Chronicle) {
    this.#trace = trace
    this.#chronicle = chronicle
  }

  /** A broker listens from now on; nobody has spoken to it yet. */
  started(nowMs: number): void {
    this.#startedAtMs = nowMs
    this.#contacts.clear()
    this.#seen.clear()
    this.#waiting.clear()
    this.#renewals.clear()
  }

  /** How many requests came so far. */
  get count(): number {
    return this.#count
  }

  contactMs(session: string): number {
    return this.#contacts.get(session) ?? this.#startedAtMs
  }

  seen(session: string, nowMs: number): void {
    this.#seen.set(session, nowMs)
  }

  /** Its connection is gone, and it was not answered: if it still waited for room, nobody was heard. */
  dropped({ session, request, atMs }: Asked): void {
    const seenMs = this.#seen.get(session) ?? this.#startedAtMs
    // Ticks are whole ms, and a session is seen once in each.
    if (seenMs + 1 >= atMs || this.contactMs(session) < atMs) return
    this.#contacts.set(session, seenMs)
    if (request.verb !== 'heartbeat') return
    for (const { token } of request.leases) this.#renewals.delete(token)
  }

  /** When a heartbeat last named this token, or 0. */
  renewedMs(token: number): number {
    return this.#renewals.get(token) ?? 0
  }

  /** A worker has sent, or will send again, the completion of this attempt. */
  isCompleting(token: number): boolean {
    return this.#completing.has(token)
  }

  noteCompleting(token: number, isUnderWay: boolean): void {
    if (isUnderWay) this.#completing.add(token)
    else this.#completing.delete(token)
  }

  /** Claims that are parked, unless they wait for room in a commit. */
  waitingClaims(nowMs: number): WaitingClaim[] {
    return [...this.#waiting.values()].filter(({ untilMs }) => untilMs > nowMs)
  }

  /** The claim was given a task, or its connection is gone: it is parked no more. */
  unparked(session: string, claim: number): void {
    this.#waiting.delete(`${session} ${claim}`)
  }

  claimOf(session: string, claim: number): ClaimRequest | undefined {
    return this.#claims.get(`${session} ${claim}`)
  }

  received(
    session: string,
    request: Request,
    now: { readonly nowMs: number; readonly eventNumber: number },
  ): Asked {
    const { nowMs, eventNumber } = now
    this.#count += 1
    this.#trace.asked(request.verb)
    const stale = new Set<string>()
    if (request.verb === 'claim') {
      const name = `${session} ${request.claim}`
      if (this.#waiting.has(name)) this.#trace.reach('a re-sent claim replaced its parked self')
      this.#claims.set(name, request)
      // What it holds already it gets again, as soon as that is durable: it is not parked.
      const isParked = !this.#holds(session, request.claim)
      if (isParked) {
        const untilMs = nowMs + request.waitMs
        this.#waiting.set(name, { session, claim: request, untilMs })
      }
    }
    if (request.verb === 'heartbeat') {
      for (const lease of request.leases) {
        if (this.#isCurrent(lease)) this.#renewals.set(lease.token, nowMs)
        else stale.add(nameOf(lease))
      }
    }
    const { verb } = request
    if (verb === 'abort') {
      // Whatever it names, it is not parked any more; if it was a claim, its answer says so.
      for (const [name, waiting] of this.#waiting) {
        if (waiting.session === session) this.#waiting.delete(name)
      }
    }
    if (verb === 'claim' || verb === 'heartbeat' || verb === 'register') {
      this.#contacts.set(session, nowMs)
    }
    const isLive = request.verb === 'enqueue' && request.tasks.every(({ id }) => this.#isLive(id))
    return { request, session, stale, isLive, event: eventNumber, atMs: nowMs }
  }

  #holds(session: string, claim: number): boolean {
    for (const { lease } of this.#chronicle.live.live.values()) {
      if (lease?.session === session && lease.claim === claim) return true
    }
    return false
  }

  #isLive(id: Uint8Array | undefined): boolean {
    const task = id === undefined ? undefined : this.#chronicle.live.tasks.get(hexOf(id))
    return task !== undefined && task.end === undefined
  }

  #isCurrent({ id, token }: HeldTask): boolean {
    return this.#chronicle.live.tasks.get(hexOf(id))?.lease?.token === token
  }
}

/** A lease as a member of a set. */
export function nameOf({ id, token }: HeldTask): string {
  return `${hexOf(id)} ${token}`
}
