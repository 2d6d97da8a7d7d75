// The workers of the soak: they claim from all its queues until they are told to leave.

import { TqWorker } from '@tq/client'
import { SOAK_QUEUES } from './arrivals.ts'
import type { Tally } from './tally.ts'

const SLOW_MS = 30

/** @param concurrency Tasks that it runs at a time. */
export async function startWorker(
  port: number,
  tally: Tally,
  concurrency: number,
): Promise<TqWorker> {
  const worker = new TqWorker({
    address: `127.0.0.1:${port}`,
    queues: SOAK_QUEUES,
    name: 'soak-worker',
    concurrency,
    // Its handlers do not compute, and threads would only cost the machine.
    heartbeatThread: false,
    onEvent: (event) => {
      if (event.kind === 'task-completed') tally.completed += 1
      else if (event.kind === 'task-failed') tally.failed += 1
      else if (event.kind === 'report-refused') tally.refused(event.error)
    },
  })
  worker.handle('*', () => undefined)
  worker.handle('slow', () => new Promise((resolve) => setTimeout(resolve, SLOW_MS)))
  worker.handle('flaky', ({ attempt }) => {
    if (attempt === 1) throw new Error('the first attempt fails')
  })
  worker.handle('doomed', () => {
    throw new Error('every attempt fails')
  })
  await worker.start()
  return worker
}
