// What a claim may pick from: lanes by requirements and priority, queues in turn by their weight.

import { type Lane, type LaneGroup, meets } from './lane.ts'
import type { Queue } from './queue.ts'
import type { Session } from './session.ts'

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

/** The order in which a claim visits its queues: one entry for each unit of weight. */
export function visitingOrder(
  queues: readonly Pick<PickQueue, 'weight'>[],
  start: number,
): number[] {
  const order: number[] = []
  const heaviest = Math.max(1, ...queues.map(({ weight }) => weight))
  // Weighted shares are spread over the round, so that a heavy queue does not come in one block.
  for (let pass = 0; pass < heaviest; pass += 1) {
    for (const [index, { weight }] of queues.entries()) if (pass < weight) order.push(index)
  }
  const shift = order.length === 0 ? 0 : start % order.length
  return [...order.slice(shift), ...order.slice(0, shift)]
}

/** Groups of the queue's tasks that this session may run, some of them empty. */
export function groupsFor(session: Session | undefined, queue: Queue): readonly LaneGroup[] {
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
