// Which queues have a label of their own: a broker may have ten thousand, a monitoring system not.

/** Queues with their own series; those created later share one. */
export const QUEUE_LABELS_MAX = 1_000
const OTHER_QUEUES = '_other'

export class QueueLabels {
  readonly #named = new Set<string>()

  /** The same label for a queue for as long as the process lives, so that counters only grow. */
  labelOf(queue: string): string {
    if (this.#named.has(queue)) return queue
    if (this.#named.size >= QUEUE_LABELS_MAX) return OTHER_QUEUES
    this.#named.add(queue)
    return queue
  }
}
