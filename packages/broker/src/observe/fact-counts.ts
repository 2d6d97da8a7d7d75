// Counts facts in plain numbers: they come by the hundred thousand, scrapes once in a while.

import { FACT_KINDS, type Fact, type FactKind } from '../engine/fact.ts'

type Reasons = Record<string, number>

/** Codes of facts are small numbers; see FACT_KINDS. */
const CODES_MAX = 64
/** Who acts when nobody asked: time. Only it ends an attempt for running too long. */
const BROKER = 'broker'

export class FactCounts {
  readonly #byCode = new Float64Array(CODES_MAX)
  /** Ended tasks by `state reason`. */
  readonly #ends: Reasons = {}
  readonly #retries: Reasons = {}
  readonly #orphans: Reasons = {}
  #timeouts = 0

  add(fact: Fact): void {
    const { code } = FACT_KINDS[fact.kind]
    this.#byCode[code] = (this.#byCode[code] ?? 0) + 1
    switch (fact.kind) {
      case 'task-ended':
        increment(this.#ends, `${fact.state} ${fact.reason}`)
        if (fact.counts === 'loss') increment(this.#orphans, fact.reason)
        if (fact.counts === 'failure' && fact.actor === BROKER) this.#timeouts += 1
        return
      case 'task-retried':
        increment(this.#retries, fact.reason)
        if (fact.reason === 'timed_out') this.#timeouts += 1
        return
      case 'task-released':
        if (fact.lost || fact.reason === 'reply_lost') increment(this.#orphans, fact.reason)
        return
      default:
        return
    }
  }

  get timeouts(): number {
    return this.#timeouts
  }

  of(kind: FactKind): number {
    return this.#byCode[FACT_KINDS[kind].code] ?? 0
  }

  retries(): [reason: string, count: number][] {
    return Object.entries(this.#retries)
  }

  orphans(): [reason: string, count: number][] {
    return Object.entries(this.#orphans)
  }

  ends(): { readonly state: string; readonly reason: string; readonly count: number }[] {
    return Object.entries(this.#ends).map(([key, count]) => {
      const [state = '', reason = ''] = key.split(' ')
      return { state, reason, count }
    })
  }
}

function increment(counts: Reasons, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}
