// A worker: claims, works, renews, reports; falls silent, forgets, comes back with stale tokens.

import {
  type ClaimedTask,
  type ClaimRequest,
  type HeldTask,
  type ReplyOf,
  type Request,
  type StopOrder,
} from '@tq/core'
import { hexOf, shortOf } from './heard.ts'
import { type Answer, Link, type LinkParts } from './link.ts'
import type { SeededRandom } from './seeded-random.ts'

interface Held extends HeldTask {
  readonly doneAtMs: number
  /** By the worker's own count; renewals move it. */
  endsAtMs: number
  readonly leaseMs: number
  isStarted: boolean
  /** What it reports when the work is done; sent again until it was answered. */
  report: 'complete' | 'fail' | 'release'
  isReporting: boolean
}

interface SentClaim {
  readonly request: ClaimRequest
  readonly sentAtMs: number
  state: 'sent' | 'lost' | 'over'
}

export class Worker {
  readonly #parts: LinkParts
  readonly #name: string
  readonly #random: SeededRandom
  #link: Link
  /** By token: an attempt that is over for the broker may go on here, beside the next one. */
  #held = new Map<number, Held>()
  #claims = new Map<number, SentClaim>()
  #nextClaim = 1
  #silentUntilMs = 0
  #beatAtMs = 0
  #isCalm = false
  #life = 1

  constructor(parts: LinkParts, name: string) {
    this.#parts = parts
    this.#name = name
    this.#random = parts.random
    this.#link = this.#newLink()
  }

  get link(): Link {
    return this.#link
  }

  start(): void {
    this.#link.start()
    this.#thinkThenAct()
  }

  /** Works well from now on: nothing fails, nothing is forgotten. */
  calm(): void {
    this.#isCalm = true
    this.#silentUntilMs = 0
  }

  #newLink(): Link {
    return new Link(this.#parts, {
      name: this.#name,
      session: this.#random.bytes(16),
      onUp: () => this.#register(),
      onPush: (channel, data) => {
        if (channel === 'stop') this.#stop(data as readonly StopOrder[])
      },
    })
  }

  #register(): void {
    const { slots } = this.#parts.swarm.workers
    const labels = this.#name === 'worker1' ? { gpu: true } : {}
    this.#ask({ verb: 'register', name: this.#name, version: '1', labels, slots }, () => undefined)
    this.#beatAtMs = 0
    for (const claim of this.#claims.values()) {
      if (claim.state !== 'lost') continue
      const isGivenUp = this.#random.happens(this.#parts.swarm.workers.giveUpClaimChance)
      if (isGivenUp) claim.state = 'over'
      else this.#sendClaim(claim.request)
    }
  }

  #thinkThenAct(): void {
    const { world, swarm } = this.#parts
    const thinkMs = this.#isCalm ? 20 : 2 * this.#random.chance() * swarm.workers.thinkMs
    world.after(thinkMs, () => {
      this.#act()
      this.#thinkThenAct()
    })
  }

  #act(): void {
    const { world, swarm } = this.#parts
    if (world.nowMs < this.#silentUntilMs) return
    if (!this.#isCalm && this.#random.happens(swarm.workers.zombieChance)) {
      const silentMs = swarm.workers.leaseMs * this.#random.magnitude(0.3, 4)
      this.#parts.trace.note(this.#name, `falls silent for ${silentMs.toFixed(0)} ms`)
      this.#silentUntilMs = world.nowMs + silentMs
      return
    }
    if (!this.#isCalm && this.#random.happens(swarm.workers.restartChance)) {
      this.#restart()
      return
    }
    if (!this.#link.isUp || this.#link.outstandingCount > 12) return
    if (world.nowMs >= this.#beatAtMs) this.#beat()
    this.#dropExpired()
    for (const held of this.#held.values()) this.#work(held)
    this.#claimMore()
  }

  /** The process dies, or leaves in good order; another one takes its place. */
  #restart(): void {
    const isClean = this.#random.happens(0.5)
    this.#parts.trace.note(this.#name, isClean ? 'leaves' : 'dies')
    const old = this.#link
    if (isClean && old.isUp) old.send({ verb: 'leave' }, () => old.end())
    else old.end()
    this.#held = new Map()
    this.#claims = new Map()
    this.#nextClaim = 1
    this.#life += 1
    this.#link = this.#newLink()
    this.#link.start()
  }

  #claimMore(): void {
    const { swarm } = this.#parts
    const isClaiming = [...this.#claims.values()].some(({ state }) => state !== 'over')
    const free = swarm.workers.slots - this.#held.size
    if (isClaiming || free <= 0) return
    const random = this.#random
    const isParked = this.#isCalm || random.happens(swarm.workers.parkChance)
    const request: ClaimRequest = {
      verb: 'claim',
      queues: this.#isCalm ? swarm.queues : this.#someQueues(),
      max: random.between(1, free),
      waitMs: isParked ? random.between(20, 1_000) : 0,
      leaseMs: swarm.workers.leaseMs,
      start: !random.happens(swarm.workers.prefetchChance),
      claim: this.#nextClaim,
      order: random.happens(0.3) ? 'strict' : 'round',
      ...(!this.#isCalm && random.happens(0.1) ? { minPriority: random.between(125, 130) } : {}),
    }
    this.#nextClaim += 1
    this.#sendClaim(request)
  }

  #someQueues(): readonly string[] {
    const { queues } = this.#parts.swarm
    const some = queues.filter(() => this.#random.happens(0.7))
    return some.length === 0 ? queues : some
  }

  #sendClaim(request: ClaimRequest): void {
    const { world, trace } = this.#parts
    const claim: SentClaim = { request, sentAtMs: world.nowMs, state: 'sent' }
    this.#claims.set(request.claim, claim)
    trace.note(this.#name, `claims ${request.max} by claim ${request.claim}`)
    const id = this.#ask(request, (answer) => this.#hearClaim(claim, answer))
    if (request.waitMs > 0 && !this.#isCalm && this.#random.happens(0.05)) {
      this.#ask({ verb: 'abort', id }, () => undefined)
    }
  }

  #hearClaim(claim: SentClaim, answer: Answer): void {
    claim.state = answer.kind === 'lost' ? 'lost' : 'over'
    if (answer.kind !== 'reply') return
    const { tasks } = answer.result as ReplyOf<'claim'>
    for (const task of tasks) this.#take(claim, task)
  }

  #take(claim: SentClaim, [id, token, , , , , extra]: ClaimedTask): void {
    const { world, swarm } = this.#parts
    const { leaseMs = 15_000, start } = claim.request
    if (this.#held.has(token)) return
    const workMs = this.#isCalm ? 1 : this.#random.chance() * swarm.workers.workMsMax
    this.#held.set(token, {
      id,
      token,
      leaseMs,
      isStarted: start,
      isReporting: false,
      doneAtMs: world.nowMs + workMs,
      endsAtMs: claim.sentAtMs + leaseMs,
      report: extra.cancelRequested === true ? 'release' : this.#chooseReport(),
    })
  }

  #chooseReport(): Held['report'] {
    const { failChance, releaseChance } = this.#parts.swarm.workers
    if (this.#isCalm) return 'complete'
    if (this.#random.happens(failChance)) return 'fail'
    return this.#random.happens(releaseChance) ? 'release' : 'complete'
  }

  /** A worker stops in time if it cannot renew; a zombie does not know, and tries to report. */
  #dropExpired(): void {
    for (const held of this.#held.values()) {
      if (held.isReporting || this.#parts.world.nowMs < held.endsAtMs) continue
      if (this.#isCalm || this.#random.happens(0.5)) this.#held.delete(held.token)
      else held.endsAtMs = Infinity
    }
  }

  #work(held: Held): void {
    if (held.isReporting) return
    if (!held.isStarted) {
      held.isStarted = true
      this.#ask({ verb: 'start', tasks: [held] }, () => undefined)
      return
    }
    if (this.#isReady(held)) this.#report(held)
    else if (this.#random.happens(0.02)) {
      const progress = { id: held.id, token: held.token, percent: 50, note: undefined }
      this.#ask({ verb: 'progress', tasks: [progress] }, () => undefined)
    }
  }

  #report(held: Held): void {
    // What is done at the same time and in the same way goes in one request.
    const same = [...this.#held.values()].filter(
      (other) => other.report === held.report && this.#isReady(other),
    )
    const together = this.#random.happens(0.5) ? same : [held]
    const { trace, arrivals } = this.#parts
    for (const one of together) {
      one.isReporting = true
      if (one.report === 'complete') arrivals.noteCompleting(one.token, true)
      const what = `${one.report} of ${shortOf(hexOf(one.id))} by token ${one.token}`
      trace.note(this.#name, `sends ${what}`)
    }
    this.#ask(this.#reportOf(held.report, together), (answer) => this.#reported(together, answer))
  }

  #reported(together: readonly Held[], answer: Answer): void {
    for (const one of together) one.isReporting = false
    if (answer.kind === 'lost' || (answer.kind === 'refusal' && answer.error.retryable)) return
    const { refused } = answer.kind === 'reply' ? (answer.result as ReplyOf<'release'>) : {}
    const codes = new Map((refused ?? []).map(([index, code]) => [index, code] as const))
    for (const [index, held] of together.entries()) {
      this.#parts.arrivals.noteCompleting(held.token, false)
      const isCancelled = codes.get(index) === 'INVALID_STATE' && held.report === 'complete'
      // Its result is not taken, because somebody asked to cancel it: the release confirms.
      if (isCancelled) held.report = 'release'
      else this.#held.delete(held.token)
    }
  }

  #isReady(held: Held): boolean {
    return !held.isReporting && held.isStarted && this.#parts.world.nowMs >= held.doneAtMs
  }

  #reportOf(report: Held['report'], together: readonly Held[]): Request {
    const tasks = together.map(({ id, token }) => ({ id, token }))
    switch (report) {
      case 'complete': {
        const result = this.#random.happens(0.5) ? Uint8Array.of(1) : undefined
        return { verb: 'complete', tasks: tasks.map((task) => ({ ...task, result })) }
      }
      case 'fail': {
        const isFinal = this.#random.happens(0.1)
        const error = { message: 'it did not work', type: 'Broken' }
        const how = isFinal ? { retryable: false } : { retryAfterMs: this.#random.between(1, 500) }
        return { verb: 'fail', tasks: tasks.map((task) => ({ ...task, error, ...how })) }
      }
      case 'release':
        return { verb: 'release', tasks }
    }
  }

  #beat(): void {
    const { world, swarm } = this.#parts
    const sentAtMs = world.nowMs
    this.#beatAtMs = sentAtMs + swarm.workers.heartbeatMs
    const leases = [...this.#held.values()].map(({ id, token }) => ({ id, token }))
    const request: Request = { verb: 'heartbeat', leases, received: this.#received() }
    this.#ask(request, (answer) => {
      if (answer.kind !== 'reply') return
      const { stop } = answer.result as ReplyOf<'heartbeat'>
      const stopped = new Set((stop ?? []).map(([, token]) => token))
      for (const { token } of leases) {
        const held = this.#held.get(token)
        if (held === undefined || stopped.has(token)) continue
        held.endsAtMs = Math.max(held.endsAtMs, sentAtMs + held.leaseMs)
      }
      this.#stop(stop ?? [])
    })
  }

  /** The highest number up to which every claim was answered or given up. */
  #received(): number {
    let received = 0
    for (let number = 1; number < this.#nextClaim; number += 1) {
      const claim = this.#claims.get(number)
      if (claim !== undefined && claim.state !== 'over') break
      received = number
      // An answered claim is not needed any more; the count of what is gone stays right.
    }
    return received
  }

  #stop(orders: readonly StopOrder[]): void {
    for (const [, token, reason] of orders) {
      const held = this.#held.get(token)
      if (held === undefined || held.isReporting) continue
      if (reason === 'cancelled') held.report = 'release'
      // Some workers are slow to stop, and report what nobody wants any more.
      else if (this.#isCalm || this.#random.happens(0.7)) this.#held.delete(token)
    }
  }

  /** Sends a request of this life; answers to an earlier one are not heard. */
  #ask(request: Request, done: (answer: Answer) => void): number {
    const life = this.#life
    return this.#link.send(request, (answer) => {
      if (life === this.#life) done(answer)
    })
  }
}
