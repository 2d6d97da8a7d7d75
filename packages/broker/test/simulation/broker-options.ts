// How the simulated broker is configured: small numbers, so that every limit is met.

import { DEFAULT_QUEUE_SETTINGS } from '../../src/engine/queue.ts'
import { DEFAULT_ENGINE_OPTIONS } from '../../src/engine/state.ts'
import type { PartitionOptions } from '../../src/pipeline/partition.ts'
import type { Swarm } from './swarm.ts'

/** So long a worker may be silent. */
export const WORKER_DEAD_MS = 1_500
const SESSION_IDLE_MS = 20_000
/**
 * Payload bytes of the commit that is gathered and the one in flight, each with a request on top: the
 * cache itself tells if they were more.
 */
const SMALL_SAFETY_BYTES = 256 * 1024
const BIG_SAFETY_BYTES = 10 * 1024 * 1024

export function partitionOptions(swarm: Swarm, indexSeed: number): PartitionOptions {
  const isBig = swarm.producers.bigPayloadChance > 0
  // As small as it may be: the ring comes round, and a start does not cost a new one of 48 MiB.
  const payloadSafetyBytes = isBig ? BIG_SAFETY_BYTES : SMALL_SAFETY_BYTES
  return {
    engine: {
      ...DEFAULT_ENGINE_OPTIONS,
      indexSeed,
      tasksMax: swarm.tasksMax,
      queueDefaults: queueDefaultsOf(swarm),
      workerDeadMs: WORKER_DEAD_MS,
      sessionIdleMs: SESSION_IDLE_MS,
    },
    journal: { ageMsMax: swarm.journalAgeMs, bytesMax: 2 ** 28 },
    payloadCacheBytes: 2 * payloadSafetyBytes,
    payloadSafetyBytes,
  }
}

function queueDefaultsOf(swarm: Swarm): typeof DEFAULT_QUEUE_SETTINGS {
  const { keepsNothing, keptMs, keptCountMax, timeoutMs } = swarm
  return {
    ...DEFAULT_QUEUE_SETTINGS,
    agingMsPerLevel: 100,
    maxAttempts: 4,
    maxLost: 3,
    retry: { ...DEFAULT_QUEUE_SETTINGS.retry, baseMs: 50, capMs: 1_000 },
    retentionMs: keepsNothing ? 0 : keptMs,
    retentionCount: keptCountMax,
    deadRetentionMs: keepsNothing ? 0 : keptMs,
    deadRetentionCount: keptCountMax,
    timeouts: { '*': { kind: 'fixed', ms: timeoutMs } },
  }
}
