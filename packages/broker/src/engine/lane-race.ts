// Which of several lanes goes next: a heap of their heads, so that a claim for many looks at each once.

import { invariant, rankMs } from '@tq/core'
import type { Lane } from './lane.ts'
import type { Queue } from './queue.ts'
import { NO_ROW, type Row } from './rows.ts'
import type { EngineState } from './state.ts'

/** 2^44 ms are 557 years; times 255 levels it still fits a double without loss. */
const STRICT_LEVEL_MS = 2 ** 44

/** The lanes of one queue that a claim may take. Nobody else may change them meanwhile. */
export class LaneRace {
  readonly #state: EngineState
  readonly #agingMsPerLevel: number
  /** A binary heap; its first lane goes next. */
  readonly #lanes: Lane[]

  /** O(lanes). @param lanes None of them empty. */
  constructor(state: EngineState, queue: Queue, lanes: readonly Lane[]) {
    const { order, agingMsPerLevel } = queue.settings
    this.#state = state
    // A strict order is the same comparison with a level worth more than any waiting time.
    this.#agingMsPerLevel = order === 'strict' ? STRICT_LEVEL_MS : agingMsPerLevel
    this.#lanes = [...lanes]
    for (let place = (lanes.length >>> 1) - 1; place >= 0; place -= 1) this.#sink(place)
  }

  /** The task that goes first in all lanes by the queue's order, or NO_ROW. O(1). */
  first(): Row {
    return this.#lanes[0]?.heap.first() ?? NO_ROW
  }

  /** The task that went first has left its lane. O(log lanes). */
  advance(): void {
    const winner = this.#lanes[0]
    invariant(winner !== undefined, 'somebody was first')
    if (winner.heap.size === 0) {
      const last = this.#lanes.pop() as Lane
      if (this.#lanes.length === 0) return
      this.#lanes[0] = last
    }
    this.#sink(0)
  }

  #sink(from: number): void {
    const lanes = this.#lanes
    const sinking = lanes[from] as Lane
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= lanes.length) break
      const right = child + 1
      if (right < lanes.length && this.#goesBefore(lanes[right], lanes[child])) child = right
      if (this.#goesBefore(sinking, lanes[child])) break
      lanes[place] = lanes[child] as Lane
      place = child
    }
    lanes[place] = sinking
  }

  #goesBefore(one: Lane | undefined, other: Lane | undefined): boolean {
    invariant(one !== undefined && other !== undefined, 'two lanes are compared')
    const rank = rankMs(one.heap.firstKey(), one.priority, this.#agingMsPerLevel)
    const otherRank = rankMs(other.heap.firstKey(), other.priority, this.#agingMsPerLevel)
    if (rank !== otherRank) return rank < otherRank
    const { tasks } = this.#state
    return tasks.sequence(one.heap.first()) < tasks.sequence(other.heap.first())
  }
}
