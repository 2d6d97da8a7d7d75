// Lanes: the ready tasks of a queue with the same requirements and the same priority.

import type { Labels } from '@tq/core'
import { Heap, type HeapOptions } from './heap.ts'

/**
 * A lane holds one priority only. Inside it the order is by rank base and sequence, whatever the
 * queue's aging is: aging decides between the heads of lanes, so changing it moves no task.
 */
export interface Lane {
  readonly priority: number
  readonly heap: Heap
}

export class LaneGroup {
  readonly key: string
  readonly requires: Labels | undefined
  /** Most urgent first. Empty lanes stay: there are at most 256. */
  readonly lanes: Lane[] = []
  readonly #byPriority: (Lane | undefined)[] = []
  readonly #heapOptions: HeapOptions

  constructor(key: string, requires: Labels | undefined, heapOptions: HeapOptions) {
    this.key = key
    this.requires = requires
    this.#heapOptions = heapOptions
  }

  find(priority: number): Lane | undefined {
    return this.#byPriority[priority]
  }

  laneOf(priority: number): Lane {
    const found = this.#byPriority[priority]
    if (found !== undefined) return found
    const lane: Lane = { priority, heap: new Heap(this.#heapOptions) }
    this.#byPriority[priority] = lane
    const at = this.lanes.findIndex((other) => other.priority < priority)
    this.lanes.splice(at < 0 ? this.lanes.length : at, 0, lane)
    return lane
  }

  get isEmpty(): boolean {
    return this.lanes.every((lane) => lane.heap.size === 0)
  }
}

/** True if a worker with these labels meets the requirements. */
export function meets(labels: Labels | undefined, requires: Labels | undefined): boolean {
  if (requires === undefined) return true
  if (labels === undefined) return Object.keys(requires).length === 0
  return Object.entries(requires).every(
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  )
}
