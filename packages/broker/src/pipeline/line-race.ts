// Which of several lines goes next: a heap of them, so that a batch of tasks looks at each once.

import type { Line } from './queue-lines.ts'

interface Racer<C> {
  readonly line: Line<C>
  readonly since: number
}

export class LineRace<C> {
  /** A binary heap; its first line goes next. */
  readonly #racers: Racer<C>[] = []

  constructor(lines: readonly Line<C>[]) {
    for (const line of lines) this.add(line)
  }

  add(line: Line<C>): void {
    const racer = { line, since: line.since }
    const racers = this.#racers
    let place = racers.length
    while (place > 0) {
      const parent = (place - 1) >>> 1
      const above = racers[parent] as Racer<C>
      if (above.since <= racer.since) break
      racers[place] = above
      place = parent
    }
    racers[place] = racer
  }

  /** Takes out the line whose first claim has waited longest. O(log lines). */
  next(): Line<C> | undefined {
    const winner = this.#racers[0]
    const last = this.#racers.pop()
    if (winner === undefined || last === undefined) return undefined
    if (this.#racers.length > 0) this.#sink(last)
    return winner.line
  }

  #sink(racer: Racer<C>): void {
    const racers = this.#racers
    const since = (place: number): number => racers[place]?.since ?? Infinity
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (since(child + 1) < since(child)) child += 1
      if (child >= racers.length || racer.since <= since(child)) break
      racers[place] = racers[child] as Racer<C>
      place = child
    }
    racers[place] = racer
  }
}
