// Waits until a broker has nothing left to do and nothing left to keep.

import { setTimeout as pause } from 'node:timers/promises'
import { Exposition } from './exposition.ts'
import type { SoakedBroker } from './soaked-broker.ts'

const LOOK_MS = 500
/** Retries, delays, the leases of those who vanished, retention: together well below this. */
const PATIENCE_MS = 300_000

/** Resolves with what is left by state: nothing, if it did not take too long. */
export async function drained(broker: SoakedBroker): Promise<Readonly<Record<string, number>>> {
  const sinceMs = performance.now()
  for (;;) {
    const left = new Exposition(await broker.metrics()).by('tq_tasks', 'state')
    const count = Object.values(left).reduce((all, tasks) => all + tasks, 0)
    if (count === 0) return {}
    if (performance.now() - sinceMs > PATIENCE_MS) return left
    await pause(LOOK_MS)
  }
}
