// What prom-client tells of the process itself: CPU, memory, event-loop delay, garbage collection.

import { collectDefaultMetrics, Registry } from 'prom-client'

let shared: Registry | undefined

/**
 * One for the whole process, as what it measures: it installs observers that are never taken away.
 * Its metrics are named tq_process_… and tq_nodejs_….
 */
export function processMetrics(): Registry {
  if (shared === undefined) {
    shared = new Registry()
    collectDefaultMetrics({ register: shared, prefix: 'tq_' })
  }
  return shared
}
