// A worker process: handlers that are quick, slow, flaky and stubborn, and note each run.

import { HandlerError, TqWorker, type ClaimedTask } from '@tq/client'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { CLAIM_WAIT_MS, type ClientRole, LEASE_MS } from './client-role.ts'
import { type HistoryWriter, nowMicros } from './history-writer.ts'
import type { Stopping } from './stopping.ts'

/** A kill takes this many leases with it. */
const SLOTS = 256
const SLOW_MS_MAX = 60
/** Longer than its time limit of 200 ms. */
const LATE_MS = 350
/** Longer than a lease: only heartbeats keep it. */
const STUBBORN_MS = 2 * LEASE_MS
const FLAKY = 0.45
/** How long running tasks may go on after SIGTERM. */
const DRAIN_MS = 400

export async function work(
  role: ClientRole,
  history: HistoryWriter,
  stopping: Stopping,
): Promise<void> {
  const worker = new TqWorker({
    address: role.address,
    queues: role.queues,
    name: role.name,
    concurrency: SLOTS,
    leaseMs: LEASE_MS,
    waitMs: CLAIM_WAIT_MS,
    drainMs: DRAIN_MS,
    reconnect: { baseMs: 20, capMs: 200 },
    heartbeatThread: { execArgv: ['--import', role.heartbeatTap] },
  })
  const random = new SeededRandom(role.seed, `${role.name} at work`)
  worker.handle('*', async (task) => {
    const { id: text, token } = task
    const id = text.replaceAll('-', '')
    history.note({ k: 'run', t: nowMicros(), id, token })
    try {
      await labour(task, random)
      return { by: token }
    } finally {
      history.note({ k: 'ran', t: nowMicros(), id, token })
    }
  })
  await Promise.race([worker.start(), stopping.asked])
  await stopping.asked
  await worker.stop()
}

async function labour(task: ClaimedTask, random: SeededRandom): Promise<void> {
  switch (task.type) {
    case 'quick':
      return
    case 'slow':
      return pause(random.between(1, SLOW_MS_MAX))
    case 'flaky':
      if (random.happens(FLAKY)) throw new Error('not this time')
      return
    case 'fatal':
      throw new HandlerError('never', { retryable: false })
    case 'late':
      return pause(LATE_MS)
    case 'stubborn':
      return pause(STUBBORN_MS)
    default:
      throw new Error(`work of type ${task.type} was never ordered`)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
