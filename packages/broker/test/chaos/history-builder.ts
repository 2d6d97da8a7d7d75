// Histories for tests of the checker: a few well-behaved processes, to be made to misbehave.

import type { Ask, EndLine, HistoryLine, Reply } from './history-line.ts'
import type { Stories } from './stories.ts'

/** Two tasks. */
export const A: string = 'a'.repeat(32)
export const B: string = 'b'.repeat(32)
const HASH = 'payload'

export type Tell = (producer: HistoryBuilder, worker: HistoryBuilder, other: HistoryBuilder) => void

/** The unit of time of a history that was made up, in microseconds: losses take 0.9 s and more. */
const UNIT = 100_000

/** Lines of one process; each `ask` is answered by the next `ok` or `no`, unless told otherwise. */
export class HistoryBuilder {
  readonly #stories: Stories
  readonly #lines: HistoryLine[] = []
  readonly #session: string
  #asked = 0
  #claims = 0

  constructor(stories: Stories, session: string) {
    this.#stories = stories
    this.#session = session
  }

  ask(t: number, a: Ask): this {
    this.#asked += 1
    this.#lines.push({ k: 'ask', t: t * UNIT, c: 1, i: this.#asked, s: this.#session, a })
    return this
  }

  ok(t: number, l: number, r: Reply = {}): this {
    this.#lines.push({ k: 'ok', t: t * UNIT, c: 1, i: this.#asked, l, r })
    return this
  }

  no(t: number, code: string): this {
    this.#lines.push({ k: 'no', t: t * UNIT, c: 1, i: this.#asked, code })
    return this
  }

  enqueue(t: number, ids: readonly string[], more: { key?: string; h?: string } = {}): this {
    const x = ids.map((id) => ({ id, h: HASH, attempts: 2, losses: 2, ...more }))
    return this.ask(t, { v: 'enqueue', q: 'q', x })
  }

  /** A claim that is granted one lease. */
  lease(
    t: number,
    l: number,
    id: string,
    token: number,
    more: { failures?: number; losses?: number; h?: string } = {},
  ): this {
    const { failures = 0, losses = 0, h = HASH } = more
    this.#claims += 1
    const leased = [{ id, token, attempt: 1 + failures + losses, failures, losses, h }]
    return this.ask(t, { v: 'claim', n: this.#claims }).ok(t + 1, l, { leased })
  }

  report(t: number, v: 'complete' | 'release' | 'start', id: string, token: number): this {
    return this.ask(t, { v, x: [[id, token]] })
  }

  fail(t: number, id: string, token: number): this {
    return this.ask(t, { v: 'fail', x: [[id, token, true]] })
  }

  run(t: number, id: string, token: number): this {
    this.#lines.push({ k: 'run', t: t * UNIT, id, token })
    return this
  }

  acknowledged(t: number, ids: readonly string[]): this {
    this.#lines.push({ k: 'ack', t: t * UNIT, ids })
    return this
  }

  end(id: string, how: Partial<EndLine> = {}): this {
    const plain = { failures: 0, losses: 0, generation: 0, queue: 'q' } as const
    this.#lines.push({ k: 'end', id, state: 'completed', reason: 'completed', ...plain, ...how })
    return this
  }

  /** The process ends here; what it still asks for is never answered. */
  close(): void {
    const ear = this.#stories.history()
    for (const line of this.#lines) ear.hear(line)
    ear.close()
  }
}
