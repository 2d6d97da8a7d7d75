// Histories of processes become stories of tasks, one line after the other.

import { unreachable } from '@tq/core'
import type { ClaimAnswer } from './claim-laws.ts'
import type { AskLine, HistoryLine, NoLine, OkLine, Reply } from './history-line.ts'
import { type Exchange, TaskStory, UNKNOWN } from './task-story.ts'

type Answer = OkLine | NoLine

/** One enqueue as it was sent: all of its tasks, or none. */
export interface SentBatch {
  readonly tasks: readonly TaskStory[]
  readonly outcome: string
}

/** One use of an idempotency key, and the task that it was answered. */
export interface KeyUse {
  readonly key: string
  readonly h: string
  readonly askedAt: number
  readonly answeredAt: number
  readonly outcome: string
  readonly id: string
}

export interface SessionStory {
  readonly leftAt: number[]
  readonly heartbeats: {
    readonly askedAt: number
    /** All claims up to this number had been answered. */
    readonly received: number
    readonly tokens: readonly number[]
  }[]
}

export class Stories {
  readonly tasks = new Map<string, TaskStory>()
  readonly batches: SentBatch[] = []
  readonly keyUses = new Map<string, KeyUse[]>()
  /** What each session gave back without naming it: by leaving, or in heartbeats. */
  readonly sessions = new Map<string, SessionStory>()
  /** What each claim was given, by session and number; answers without tasks are left out. */
  readonly claims = new Map<string, ClaimAnswer[]>()
  /** When each claim was asked first, by session and number. */
  readonly #claimAskedAt = new Map<string, number>()
  /** Refusals that say that the broker has a bug. */
  readonly bugs: string[] = []
  /** Items of requests that were acknowledged: tasks stored, leases granted, reports taken. */
  acknowledgedCount = 0
  /** Requests that were never answered. */
  openCount = 0

  /** Takes the lines of one process, in their order. */
  history(): HistoryEar {
    return new HistoryEar(this)
  }

  story(id: string): TaskStory {
    let story = this.tasks.get(id)
    if (story === undefined) {
      story = new TaskStory(id)
      this.tasks.set(id, story)
    }
    return story
  }

  /** A request was sent. */
  begin({ a, s, t }: AskLine): void {
    const claim = a.v === 'claim' ? `${s}/${a.n}` : undefined
    if (claim !== undefined && !this.#claimAskedAt.has(claim)) this.#claimAskedAt.set(claim, t)
  }

  /** @param answer Undefined if none was heard. */
  settle(ask: AskLine, answer: Answer | undefined): void {
    if (answer === undefined) this.openCount += 1
    if (answer?.k === 'no' && answer.code === 'INTERNAL') {
      this.bugs.push(`${ask.a.v} was refused with INTERNAL`)
    }
    const reply = answer?.k === 'ok' ? answer.r : undefined
    const { a } = ask
    switch (a.v) {
      case 'enqueue':
        return this.#enqueue(ask, answer, reply)
      case 'claim':
        return this.#claim(ask, answer, reply)
      case 'heartbeat':
        return this.#heartbeat(ask, reply)
      case 'leave':
        this.#session(ask.s).leftAt.push(ask.t)
        return
      case 'start':
      case 'complete':
      case 'fail':
      case 'release':
        for (const [index, [id, token, isRetryable = true]] of a.x.entries()) {
          const exchange = this.#judge(ask, answer, index)
          const became = reply?.outcomes?.[index] ?? undefined
          this.story(id).reported.push({ ...exchange, verb: a.v, token, isRetryable, became })
        }
        return
      case 'cancel':
      case 'redrive':
        for (const [index, id] of a.x.entries()) {
          const exchange = this.#judge(ask, answer, index)
          const became = exchange.outcome === 'ok' ? reply?.outcomes?.[index] : undefined
          const outcome = became ?? exchange.outcome
          this.story(id).ordered.push({ ...exchange, verb: a.v, outcome })
        }
        return
      default:
        return unreachable(a)
    }
  }

  #enqueue(ask: AskLine, answer: Answer | undefined, reply: Reply | undefined): void {
    if (ask.a.v !== 'enqueue') return
    const { q: queue, x } = ask.a
    const exchange = exchangeOf(ask, answer)
    if (exchange.outcome === 'ok') this.acknowledgedCount += x.length
    const tasks = x.map(({ id }) => this.story(id))
    if (tasks.length > 1) this.batches.push({ tasks, outcome: exchange.outcome })
    for (const [index, task] of x.entries()) {
      const id = reply?.ids?.[index] ?? task.id
      // Its key named another task: under this id there is none.
      const outcome = id === task.id ? exchange.outcome : 'elsewhere'
      if (outcome === 'elsewhere') this.story(id).promisedCount += 1
      this.story(task.id).enqueued.push({
        ...exchange,
        outcome,
        queue,
        h: task.h,
        key: task.key,
        attemptsMax: task.attempts,
        lossesMax: task.losses,
        mayExpire: task.expires ?? false,
        mayTimeOut: task.timed ?? false,
      })
      if (task.key === undefined) continue
      const key = `${queue} ${task.key}`
      const uses = this.keyUses.get(key) ?? []
      if (uses.length === 0) this.keyUses.set(key, uses)
      uses.push({ ...exchange, key, h: task.h, id })
    }
  }

  #claim(ask: AskLine, answer: Answer | undefined, reply: Reply | undefined): void {
    if (ask.a.v !== 'claim' || reply?.leased === undefined) return
    const exchange = exchangeOf(ask, answer)
    const claim = `${ask.s}/${ask.a.n}`
    if (reply.leased.length === 0) return
    this.acknowledgedCount += reply.leased.length
    const leases = reply.leased.map(({ id, token }) => ({ id, token }))
    this.claims.set(claim, [...(this.claims.get(claim) ?? []), { lsn: exchange.lsn, leases }])
    for (const { id, ...lease } of reply.leased) {
      const claimedAt = this.#claimAskedAt.get(claim) ?? ask.t
      this.story(id).leased.push({ ...exchange, ...lease, claim, claimedAt, session: ask.s })
    }
  }

  #heartbeat(ask: AskLine, reply: Reply | undefined): void {
    if (ask.a.v !== 'heartbeat') return
    const tokens = ask.a.x.map(([, token]) => token)
    this.#session(ask.s).heartbeats.push({ askedAt: ask.t, received: ask.a.n, tokens })
    if (reply === undefined) return
    const isOver = ([, , reason]: readonly [string, number, string]): boolean =>
      reason !== 'cancelled'
    const over = new Set((reply.stop ?? []).filter(isOver).map(([id, token]) => `${id} ${token}`))
    for (const [id, token] of ask.a.x) {
      if (over.has(`${id} ${token}`)) continue
      const story = this.story(id)
      story.renewedAt ??= new Map()
      story.renewedAt.set(token, Math.max(story.renewedAt.get(token) ?? 0, ask.t))
    }
  }

  #session(name: string): SessionStory {
    let session = this.sessions.get(name)
    if (session === undefined) {
      session = { leftAt: [], heartbeats: [] }
      this.sessions.set(name, session)
    }
    return session
  }

  /** What an answer that judges each item says about this one. */
  #judge(ask: AskLine, answer: Answer | undefined, index: number): Exchange {
    const exchange = exchangeOf(ask, answer)
    if (answer?.k !== 'ok') return exchange
    if (answer.r.already?.includes(index) === true) return { ...exchange, outcome: 'already' }
    const refusal = answer.r.refused?.find(([at]) => at === index)
    if (refusal !== undefined) return { ...exchange, outcome: refusal[1] }
    this.acknowledgedCount += 1
    return exchange
  }
}

/** Hears the lines of one process, and pairs what it asked with what it was answered. */
export class HistoryEar {
  readonly #stories: Stories
  readonly #open = new Map<string, AskLine>()

  constructor(stories: Stories) {
    this.#stories = stories
  }

  hear(line: HistoryLine): void {
    switch (line.k) {
      case 'ask':
        this.#open.set(`${line.c} ${line.i}`, line)
        this.#stories.begin(line)
        return
      case 'ok':
      case 'no': {
        const key = `${line.c} ${line.i}`
        const ask = this.#open.get(key)
        this.#open.delete(key)
        if (ask !== undefined) this.#stories.settle(ask, line)
        return
      }
      case 'run': {
        const { token, t } = line
        this.#stories.story(line.id).runs.push({ token, startedAt: t })
        return
      }
      case 'ran':
        return
      case 'ack':
        for (const id of line.ids) this.#stories.story(id).promisedCount += 1
        return
      case 'end':
        this.#stories.story(line.id).end = line
        return
      default:
        return unreachable(line)
    }
  }

  /** The process has ended: what it still waited for, nobody will know. */
  close(): void {
    for (const ask of this.#open.values()) this.#stories.settle(ask, undefined)
    this.#open.clear()
  }
}

function exchangeOf(ask: AskLine, answer: Answer | undefined): Exchange {
  const askedAt = ask.t
  if (answer === undefined) return { askedAt, answeredAt: Infinity, outcome: UNKNOWN, lsn: 0 }
  const answeredAt = answer.t
  if (answer.k === 'ok') return { askedAt, answeredAt, outcome: 'ok', lsn: answer.l }
  const isUnknown = answer.code === 'OUTCOME_UNKNOWN' || answer.code === 'INTERNAL'
  return { askedAt, answeredAt, outcome: isUnknown ? UNKNOWN : answer.code, lsn: 0 }
}
