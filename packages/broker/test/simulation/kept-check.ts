// I19: what housekeeping counts is what is kept, whenever nothing is under way.

import type { Housekeeping } from '../../src/pipeline/housekeeping.ts'
import type { Partition } from '../../src/pipeline/partition.ts'
import type { Model } from './model.ts'
import type { Trace } from './trace.ts'

export function checkKept(
  trace: Trace,
  {
    partition,
    housekeeping,
    model,
  }: { readonly partition: Partition; readonly housekeeping: Housekeeping; readonly model: Model },
): void {
  const counts = countKept(model)
  for (const queue of partition.state.queuesByName.values()) {
    const { kept, dead } = housekeeping.keptOf(queue)
    if (kept === null) continue
    const own = counts.get(queue.name) ?? { done: 0, dead: 0 }
    const isRight = kept === own.done && dead === own.dead
    const counted = `${kept} done and ${dead} dead`
    trace.law(isRight, () => `I19: ${queue.name} keeps ${own.done} and ${own.dead}, not ${counted}`)
  }
}

function countKept(model: Model): Map<string, { done: number; dead: number }> {
  const counts = new Map<string, { done: number; dead: number }>()
  for (const { kept, queue, end } of model.tasks.values()) {
    if (!kept) continue
    const own = counts.get(queue) ?? { done: 0, dead: 0 }
    own[end?.state === 'dead' ? 'dead' : 'done'] += 1
    counts.set(queue, own)
  }
  return counts
}
