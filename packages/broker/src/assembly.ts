// The parts of a broker, put together around an opened store. Nothing of it runs yet.

import type { BrokerConfig } from './config/config.ts'
import { DiskWatch } from './disk-watch.ts'
import type { Failure } from './failure.ts'
import { Health } from './health.ts'
import type { Logger } from './observe/log.ts'
import { Metrics } from './observe/metrics.ts'
import { PartitionWatch } from './partition-watch.ts'
import { Housekeeping } from './pipeline/housekeeping.ts'
import { Partition, type PartitionOptions, type World } from './pipeline/partition.ts'
import { Pipeline } from './pipeline/pipeline.ts'
import { Ticker } from './pipeline/ticker.ts'
import { Readiness } from './readiness.ts'
import { makeServers, type Servers } from './servers.ts'
import { SpaceReclaim } from './space-reclaim.ts'
import type { Startup } from './startup.ts'
import { freeBytes } from './storage/disk-space.ts'
import type { Opened, Store } from './storage/port.ts'
import { BROKER_VERSION } from './version.ts'

/** A store that also tells of itself. */
export interface BrokerStore extends Store {
  /** Bytes on disk, about. */
  sizeBytes(): Promise<number>
  /** Why nothing is accepted any more; undefined while all is well. */
  readonly refusal: string | undefined
  /** What it is known by, in hex. */
  readonly storeId: string
}

/** What stands before the parts do. */
export interface Ground {
  readonly config: BrokerConfig
  readonly log: Logger
  readonly world: World
  readonly store: BrokerStore
  readonly failure: Failure
}

export interface Assembly extends Ground, Servers {
  readonly partition: Partition
  readonly pipeline: Pipeline
  readonly housekeeping: Housekeeping
  readonly ticker: Ticker
  readonly disk: DiskWatch
  readonly space: SpaceReclaim
  readonly readiness: Readiness
  readonly health: Health
}

/** Recovers the partition and puts the parts around it. @throws {StoreError} */
export async function assemble(
  ground: Ground,
  opened: Opened,
  startup: Startup,
): Promise<Assembly> {
  const { config, log, world, store, failure } = ground
  const metrics = new Metrics()
  const health = new Health(world.scheduler)
  const watch = new PartitionWatch({ log, metrics, failure, health, refusal: () => store.refusal })
  const partition = await Partition.recover(
    { store, opened, run: startup.run },
    partitionOptions(config, world),
    { world, events: watch },
  )
  const space = makeSpaceReclaim(ground, opened)
  const disk = new DiskWatch(config.dataDir, world.scheduler, space.looked)
  const pipeline = makePipeline({ config, partition, disk, metrics, storeId: store.storeId })
  const { keptMax, dedupeMs } = config.retention
  const housekeeping = new Housekeeping(partition, { keptMax, dedupeMs })
  pipeline.reads.countKeptBy((queue) => housekeeping.keptOf(queue))
  watch.connect({ state: partition.state, pipeline, housekeeping, disk, space })
  const ticker = new Ticker({
    partition,
    pipeline,
    housekeeping,
    clock: world.clock,
    scheduler: world.scheduler,
    onStall: (ms) => {
      metrics.stalled(ms)
      health.stalled()
      log.warn({ event: 'stalled', ms })
    },
  })
  const readiness = new Readiness({ limits: config.limits, commits: partition.commits, disk })
  health.readFrom({
    config,
    notReady: () => readiness.reasons(),
    freeBytes: () => disk.freeBytes,
    journalBytes: () => partition.journal.bytes,
    sessions: () => partition.state.sessionsByKey.size,
  })
  pipeline.reads.tellHealthBy(() => health.describe())
  const { epoch } = opened.ownership
  const servers = makeServers({ config, log, world, metrics, pipeline, readiness, epoch })
  metrics.collectFrom(async () => ({
    queues: pipeline.reads.queues(),
    workers: pipeline.reads.workers(),
    parkedClaims: pipeline.parkedClaims,
    connections: servers.tcp.connectionCount,
    durableLsn: partition.commits.durableLsn,
    freeBytes: disk.freeBytes,
    storeBytes: await store.sizeBytes().catch(() => 0),
    journalBytes: partition.journal.bytes,
  }))
  return {
    ...ground,
    partition,
    pipeline,
    housekeeping,
    ticker,
    disk,
    space,
    readiness,
    health,
    ...servers,
  }
}

function partitionOptions(config: BrokerConfig, world: World): PartitionOptions {
  const { limits, queues, workers, journal, storage } = config
  return {
    engine: {
      indexSeed: Math.floor(world.random.chance() * 2 ** 32),
      tasksMax: limits.tasksMax,
      autoCreateQueues: queues.autoCreate,
      queueDefaults: queues.defaults,
      workerDeadMs: workers.deadMs,
      sessionIdleMs: workers.sessionIdleMs,
      sessionsMax: limits.sessionsMax,
    },
    journal: { ageMsMax: journal.ageMs, bytesMax: journal.bytesMax },
    payloadCacheBytes: storage.payloadCacheBytes,
  }
}

function makeSpaceReclaim(ground: Ground, opened: Opened): SpaceReclaim {
  const { config, log, world, store } = ground
  return new SpaceReclaim(
    { store, log, clock: world.clock, freeBytes: () => freeBytes(config.dataDir) },
    {
      floorBytes: config.limits.freeBytesMin,
      writeBufferBytes: config.storage.writeBufferBytes,
      isNew: opened.created,
    },
  )
}

function makePipeline(parts: {
  readonly config: BrokerConfig
  readonly partition: Partition
  readonly disk: DiskWatch
  readonly metrics: Metrics
  readonly storeId: string
}): Pipeline {
  const { config, partition, disk, metrics, storeId } = parts
  const { commitMsMax, freeBytesMin } = config.limits
  return new Pipeline(
    partition,
    {
      admission: { commitMsMax, freeBytesMin, freeBytes: () => disk.freeBytes },
      heartbeatMs: config.workers.heartbeatMs,
      version: BROKER_VERSION,
      storeId,
    },
    { onAnswer: (verb, code) => metrics.answered(verb, code) },
  )
}
