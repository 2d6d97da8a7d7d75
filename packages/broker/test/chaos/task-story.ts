// All that the histories tell about one task, from whichever process.

import type { EndLine } from './history-line.ts'

/** What came back: a word of the verb's own, the code of a refusal, or nothing at all. */
export type Outcome = string
export const UNKNOWN = 'unknown'

export interface Exchange {
  /** When it was asked and answered; Infinity if no answer was heard. */
  readonly askedAt: number
  readonly answeredAt: number
  readonly outcome: Outcome
  /** The commit that the answer names; 0 without one. */
  readonly lsn: number
}

export interface Enqueued extends Exchange {
  readonly queue: string
  readonly h: string
  readonly key: string | undefined
  readonly attemptsMax: number
  readonly lossesMax: number
  readonly mayExpire: boolean
  readonly mayTimeOut: boolean
}

export interface Leased extends Exchange {
  readonly token: number
  /** Session and number of the claim: the lease belongs to no other. */
  readonly claim: string
  /** When the claim was asked first: the lease was granted later, however late that was heard. */
  readonly claimedAt: number
  readonly session: string
  readonly attempt: number
  readonly failures: number
  readonly losses: number
  readonly h: string
}

export interface Reported extends Exchange {
  readonly verb: 'start' | 'complete' | 'fail' | 'release'
  readonly token: number
  readonly isRetryable: boolean
  /** What became of a task that failed. */
  readonly became: string | undefined
}

export interface Ordered extends Exchange {
  readonly verb: 'cancel' | 'redrive'
}

export interface Run {
  readonly token: number
  readonly startedAt: number
}

export class TaskStory {
  readonly id: string
  readonly enqueued: Enqueued[] = []
  readonly leased: Leased[] = []
  readonly reported: Reported[] = []
  readonly ordered: Ordered[] = []
  readonly runs: Run[] = []
  /** When the last heartbeat was asked that was told the lease of a token lives. */
  renewedAt: Map<number, number> | undefined
  /** The SDK told its user that it is stored, or a key of it was answered. */
  promisedCount = 0
  end: EndLine | undefined

  constructor(id: string) {
    this.id = id
  }

  /** A broker said that it is stored. */
  get isAcknowledged(): boolean {
    return this.promisedCount > 0 || this.enqueued.some(({ outcome }) => outcome === 'ok')
  }

  /** Some enqueue of it may have been carried out. */
  get mayExist(): boolean {
    return this.isAcknowledged || this.enqueued.some(({ outcome }) => outcome === UNKNOWN)
  }

  get isThere(): boolean {
    return this.end !== undefined || this.leased.length > 0
  }

  get mayBeRedriven(): boolean {
    return this.ordered.some((order) => order.verb === 'redrive' && mayHaveHappened(order))
  }

  leaseOf(token: number): Leased | undefined {
    return this.leased.find((lease) => lease.token === token)
  }

  /** The story in the order of time, for people. */
  toString(): string {
    const events = [
      ...this.enqueued.map((event) => ({ at: event.askedAt, verb: 'enqueue', ...event })),
      ...this.leased.map((event) => ({ at: event.answeredAt, verb: 'claim', ...event })),
      ...this.reported.map((event) => ({ at: event.askedAt, ...event })),
      ...this.ordered.map((event) => ({ at: event.askedAt, ...event })),
      ...this.runs.map((event) => ({ at: event.startedAt, verb: 'run', ...event })),
      ...[...(this.renewedAt ?? [])].map(([token, at]) => ({ at, verb: 'last renewal', token })),
    ].toSorted((one, other) => one.at - other.at)
    const lines = events.map((event) => `  ${JSON.stringify(event)}`)
    const end = this.end === undefined ? 'not in the store' : JSON.stringify(this.end)
    return [`task ${this.id}`, ...lines, `  end: ${end}`].join('\n')
  }
}

export function mayHaveHappened({ outcome }: Exchange): boolean {
  return outcome === UNKNOWN || hasHappened({ outcome })
}

/** Carried out now, or before. */
export function hasHappened({ outcome }: { readonly outcome: Outcome }): boolean {
  return (
    outcome === 'ok' || outcome === 'already' || outcome === 'cancelled' || outcome === 'requested'
  )
}
