// What many runs come to: events, failures, points that were reached, verbs that were used.

import type { Outcome } from './fleet.ts'
import { SOMETIMES_POINTS } from './sometimes.ts'
import { VERBS } from './verbs.ts'

/** From so many events on a run must have been everywhere; measured, with room. */
const EVERYWHERE_EVENTS = 1_500_000

export class Tally {
  readonly #seeds: number
  readonly #startedAtMs = performance.now()
  readonly #points = new Map<string, number>()
  readonly #verbs = new Map<string, number>()
  #done = 0
  #events = 0
  #simulatedMs = 0
  #failures = 0
  #repeated = 0

  constructor(seeds: number) {
    this.#seeds = seeds
  }

  get failures(): number {
    return this.#failures
  }

  add(outcome: Omit<Outcome, 'plan'>): void {
    const { isRepeated, steps, simulatedMs, points, verbs, failure } = outcome
    this.#done += 1
    this.#events += steps
    this.#simulatedMs += simulatedMs
    if (failure !== undefined) this.#failures += 1
    if (isRepeated) this.#repeated += 1
    for (const [point, times] of points) count(this.#points, point, times)
    for (const [verb, times] of verbs) count(this.#verbs, verb, times)
  }

  /** Points and verbs that a run of this length must have reached, and has not. */
  get missing(): readonly string[] {
    if (this.#events < EVERYWHERE_EVENTS) return []
    return [
      ...SOMETIMES_POINTS.filter((point) => !this.#points.has(point)),
      ...VERBS.filter((verb) => !this.#verbs.has(verb)).map((verb) => `the verb ${verb}`),
    ]
  }

  get line(): string {
    const seconds = (performance.now() - this.#startedAtMs) / 1_000
    const speed = Math.round(this.#events / seconds)
    return (
      `${this.#done} of ${this.#seeds} seeds, ${this.#failures} failures, ${this.#events} events in ` +
      `${seconds.toFixed(1)} s (${speed} a second), ${Math.round(this.#simulatedMs / 1_000)} s simulated; ` +
      `${this.#repeated} run twice, with the same hash`
    )
  }

  get table(): string {
    const points = SOMETIMES_POINTS.map((point) => row(this.#points.get(point), point))
    const verbs = VERBS.map((verb) => row(this.#verbs.get(verb), `requests ${verb}`))
    return [...points, ...verbs].join('\n')
  }
}

function count(counts: Map<string, number>, name: string, times: number): void {
  counts.set(name, (counts.get(name) ?? 0) + times)
}

function row(times: number | undefined, name: string): string {
  return `${String(times ?? 0).padStart(10)}  ${name}`
}
