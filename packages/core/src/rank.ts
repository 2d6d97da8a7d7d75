// Order among ready tasks: a static rank, so that waiting tasks never change places.

/** A queue's order: by rank with aging, or strictly by priority and then first in, first out. */
export type QueueOrder = 'aging' | 'strict'

/**
 * The rank of a ready task in ms; smaller goes first, ties by enqueue sequence. A priority level
 * is worth `agingMsPerLevel` of waiting, so a task that becomes ready more than
 * `levels * agingMsPerLevel` later can never overtake.
 */
export function rankMs(rankBaseMs: number, priority: number, agingMsPerLevel: number): number {
  return rankBaseMs - priority * agingMsPerLevel
}

/** What decides between the heads of two lanes. */
export interface LaneHead {
  readonly priority: number
  readonly rankBaseMs: number
  readonly sequence: number
}

/** Negative if `a` goes before `b`. Total: two tasks never share a sequence. */
export function compareHeads(
  a: LaneHead,
  b: LaneHead,
  order: { readonly kind: QueueOrder; readonly agingMsPerLevel: number },
): number {
  const aging = order.kind === 'strict' ? 0 : order.agingMsPerLevel
  const byPriority = order.kind === 'strict' ? b.priority - a.priority : 0
  if (byPriority !== 0) return byPriority
  const byRank = rankMs(a.rankBaseMs, a.priority, aging) - rankMs(b.rankBaseMs, b.priority, aging)
  return byRank !== 0 ? byRank : a.sequence - b.sequence
}
