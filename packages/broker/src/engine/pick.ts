// Picks the tasks of a claim: queues in turn, lanes by the rank of their heads, never past an entry.

import { rankMs } from '@tq/core'
import { type Lane, type LaneGroup, meets } from './lane.ts'
import type { Queue } from './queue.ts'
import { NO_ROW, type Row } from './rows.ts'
import type { Session } from './session.ts'
import type { EngineState } from './state.ts'

/** The lanes of one queue that a claim may take, and the share of the queue in a round. */
export interface PickQueue {
  readonly queue: Queue
  readonly lanes: readonly Lane[]
  readonly weight: number
}

/** The queue's lanes that hold tasks which this session may run. Empty lanes are left out. */
export function lanesFor(session: Session | undefined, queue: Queue, minPriority: number): Lane[] {
  const lanes: Lane[] = []
  for (const group of groupsFor(session, queue)) {
    for (const lane of group.lanes) {
      if (lane.priority < minPriority) break // most urgent first
      if (lane.heap.size > 0) lanes.push(lane)
    }
  }
  return lanes
}

/** The task that goes first in these lanes by the queue's order, or NO_ROW. */
export function firstOf(state: EngineState, queue: Queue, lanes: readonly Lane[]): Row {
  if (lanes.length === 1) return lanes[0]?.heap.first() ?? NO_ROW
  const { order, agingMsPerLevel } = queue.settings
  let best: Row = NO_ROW
  let bestRank = Infinity
  for (const lane of lanes) {
    const head = lane.heap.first()
    if (head === NO_ROW) continue
    // A strict order is the same comparison with a level worth more than any waiting time.
    const aging = order === 'strict' ? STRICT_LEVEL_MS : agingMsPerLevel
    const rank = rankMs(lane.heap.firstKey(), lane.priority, aging)
    if (rank > bestRank) continue
    if (rank === bestRank && state.tasks.sequence(head) > state.tasks.sequence(best)) continue
    best = head
    bestRank = rank
  }
  return best
}

/** 2^44 ms are 557 years; times 255 levels it still fits a double without loss. */
const STRICT_LEVEL_MS = 2 ** 44

/** The order in which a claim visits its queues: one entry for each unit of weight. */
export function visitingOrder(queues: readonly PickQueue[], start: number): number[] {
  const order: number[] = []
  const heaviest = Math.max(1, ...queues.map(({ weight }) => weight))
  // Weighted shares are spread over the round, so that a heavy queue does not come in one block.
  for (let pass = 0; pass < heaviest; pass += 1) {
    for (const [index, { weight }] of queues.entries()) if (pass < weight) order.push(index)
  }
  const shift = order.length === 0 ? 0 : start % order.length
  return [...order.slice(shift), ...order.slice(0, shift)]
}

function groupsFor(session: Session | undefined, queue: Queue): readonly LaneGroup[] {
  if (session === undefined) {
    return [...queue.groups.values()].filter((group) => meets(undefined, group.requires))
  }
  const known = session.matches.get(queue)
  if (known?.version === queue.groupsVersion) return known.groups
  const labels = session.worker?.labels
  const groups = [...queue.groups.values()].filter((group) => meets(labels, group.requires))
  session.matches.set(queue, { version: queue.groupsVersion, groups })
  return groups
}
