// The broker: opens the store, recovers, listens; stops in the reverse order.

import { type StartupReport, systemClock, systemRandom, systemScheduler } from '@tq/core'
import { Authenticator } from './access/authenticator.ts'
import type { BrokerConfig } from './config.ts'
import { HttpServer } from './http/http-server.ts'
import { TcpServer } from './net/server.ts'
import type { Logger } from './observe/log.ts'
import { Metrics } from './observe/metrics.ts'
import { Housekeeping } from './pipeline/housekeeping.ts'
import { Partition, type World } from './pipeline/partition.ts'
import { Pipeline } from './pipeline/pipeline.ts'
import { Ticker } from './pipeline/ticker.ts'
import { keepReport, Startup } from './startup.ts'
import { freeBytes } from './storage/disk-space.ts'
import { LevelStore } from './storage/level-store.ts'
import type { Opened } from './storage/port.ts'
import { StartMarker } from './storage/start-marker.ts'
import { BROKER_VERSION } from './version.ts'

const FREE_BYTES_EVERY_MS = 2_000

export interface BrokerParts {
  readonly log: Logger
  readonly world?: World
}

interface Assembled {
  readonly config: BrokerConfig
  readonly log: Logger
  readonly store: LevelStore
  readonly partition: Partition
  readonly pipeline: Pipeline
  readonly housekeeping: Housekeeping
  readonly ticker: Ticker
  readonly tcp: TcpServer
  readonly http: HttpServer | undefined
  readonly disk: DiskWatch
  readonly failed: Promise<string>
}

export class Broker {
  readonly #parts: Assembled
  /** Why the broker can not go on; never resolves while all is well. */
  readonly failed: Promise<string>

  private constructor(parts: Assembled) {
    this.#parts = parts
    this.failed = parts.failed
  }

  /**
   * Starts a broker; resolves when it listens.
   * @throws {StoreError} the store cannot be trusted · an error with code EADDRINUSE and the like.
   * Nothing is left running then.
   */
  static async start(config: BrokerConfig, parts: BrokerParts): Promise<Broker> {
    return new Broker(await assemble(config, parts))
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#parts.tcp.address
  }

  get httpAddress(): { readonly host: string; readonly port: number } | undefined {
    return this.#parts.http?.address
  }

  /** Drains: answers what was asked, keeps what is durable, leaves the leases to their workers. */
  async stop(options: { readonly deadlineMs: number }): Promise<void> {
    const { tcp, http, pipeline, ticker, housekeeping, partition, store, disk } = this.#parts
    const { deadlineMs } = options
    tcp.announceClosing('the broker stops', deadlineMs)
    ticker.stop()
    housekeeping.stop()
    disk.stop()
    pipeline.tick()
    pipeline.stop()
    await Promise.race([partition.commits.idle(), this.failed])
    await tcp.stop(deadlineMs)
    await http?.stop()
    await store.close()
  }

  /** Stops at once, without answering anybody. */
  destroy(): void {
    const { tcp, http, ticker, housekeeping, disk } = this.#parts
    ticker.stop()
    housekeeping.stop()
    disk.stop()
    tcp.destroy('the broker is gone')
    http?.destroy()
  }
}

async function assemble(config: BrokerConfig, parts: BrokerParts): Promise<Assembled> {
  const { log } = parts
  const world = parts.world ?? {
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
  }
  const failure = new Failure()
  const startup = new Startup(world.clock)
  const marker = new StartMarker(config.dataDir)
  let abortedBefore: string | undefined
  const store = new LevelStore({
    directory: config.dataDir,
    allowAnyFilesystem: config.allowAnyFilesystem,
    onFailure: (error) => failure.report(error.message),
    onStep: async (step) => {
      startup.enter(step === 'verify' ? 'verify-store' : step)
      // Before the lock is held, the marker belongs to the broker that may be running.
      if (step === 'lock') return
      if (step === 'open') abortedBefore = await marker.readAborted()
      await marker.enter(step)
    },
  })
  try {
    const opened = await store.open()
    startup.leave()
    const assembled = await wire({ config, log, world, store, opened, startup, failure, marker })
    await listen(assembled)
    startup.leave()
    await marker.clear()
    const report = startup.report({
      epoch: opened.ownership.epoch,
      lsn: opened.lsn,
      abortedBefore,
    })
    await publish(assembled, report)
    return assembled
  } catch (error) {
    await store.close().catch(() => undefined)
    throw error
  }
}

interface Wiring {
  readonly config: BrokerConfig
  readonly log: Logger
  readonly world: World
  readonly store: LevelStore
  readonly opened: Opened
  readonly startup: Startup
  readonly failure: Failure
  readonly marker: StartMarker
}

/** Recovers the partition and puts the parts around it. Nothing listens yet. */
async function wire(wiring: Wiring): Promise<Assembled> {
  const { config, log, world, store, opened, startup, failure, marker } = wiring
  const metrics = new Metrics()
  let pipeline: Pipeline | undefined
  let housekeeping: Housekeeping | undefined
  const partition = await Partition.recover(
    {
      store,
      opened,
      run: async (name, step) => {
        await marker.enter(name)
        return startup.run(name, step)
      },
    },
    {
      engine: {
        indexSeed: Math.floor(world.random.chance() * 2 ** 32),
        tasksMax: config.limits.tasksMax,
        autoCreateQueues: config.queues.autoCreate,
        queueDefaults: config.queues.defaults,
        workerDeadMs: config.workers.deadMs,
        sessionIdleMs: config.workers.sessionIdleMs,
      },
      journal: { ageMsMax: config.journal.ageMs, bytesMax: config.journal.bytesMax },
      payloadCacheBytes: config.storage.payloadCacheBytes,
    },
    {
      world,
      events: {
        onFact: (fact, task) => {
          metrics.fact(fact)
          pipeline?.heard(fact, task)
        },
        onCommitted: (report) => {
          metrics.committed(report)
          housekeeping?.note(report.built.keptChanges)
        },
        onRoom: () => pipeline?.drainBacklog(),
        onFailed: (outcome) => {
          pipeline?.silence()
          failure.report(`a commit failed: ${outcome}`)
        },
        onDamage: (what, key) => {
          metrics.damaged(what)
          log.error({ event: 'record-damaged', what, key: Buffer.from(key).toString('hex') })
        },
      },
    },
  )
  const disk = new DiskWatch(config.dataDir)
  await disk.start()
  pipeline = new Pipeline(
    partition,
    {
      admission: {
        commitMsMax: config.limits.commitMsMax,
        freeBytes: () => disk.freeBytes,
        freeBytesMin: config.limits.freeBytesMin,
      },
      heartbeatMs: config.workers.heartbeatMs,
      version: BROKER_VERSION,
    },
    { onAnswer: (verb, code) => metrics.answered(verb, code) },
  )
  housekeeping = new Housekeeping(partition, {
    keptMax: config.retention.keptMax,
    dedupeMs: config.retention.dedupeMs,
  })
  const keeper = housekeeping
  pipeline.reads.countKeptBy((queue) => keeper.keptOf(queue))
  const ticker = new Ticker({
    partition,
    pipeline,
    housekeeping,
    clock: world.clock,
    scheduler: world.scheduler,
    onStall: (ms) => {
      metrics.stalled(ms)
      log.warn({ event: 'stalled', ms })
    },
  })
  const assembled = { config, log, store, partition, pipeline, housekeeping, ticker, disk }
  const servers = makeServers(assembled, { world, metrics, epoch: opened.ownership.epoch })
  return { ...assembled, ...servers, failed: failure.happened }
}

function makeServers(
  parts: Pick<Assembled, 'config' | 'log' | 'partition' | 'pipeline' | 'store' | 'disk'>,
  around: { readonly world: World; readonly metrics: Metrics; readonly epoch: number },
): Pick<Assembled, 'tcp' | 'http'> {
  const { config, log, partition, pipeline, store, disk } = parts
  const { world, metrics, epoch } = around
  const { limits, timeouts, workers } = config
  const authenticator = new Authenticator(config.auth.tokens)
  const tcp = new TcpServer(
    {
      pipeline,
      authenticate: (token, isLoopback) => authenticator.authenticate(token, isLoopback)?.principal,
      newSession: () => {
        const id = new Uint8Array(16)
        world.random.fill(id)
        return id
      },
      wallMs: () => world.clock.wallMs(),
      onConnection: (event, detail) => {
        metrics.connection(event)
        log.debug({ event: `connection-${event}`, detail })
      },
    },
    {
      host: config.host,
      port: config.port,
      connectionsMax: limits.connectionsMax,
      connection: {
        frameBytesMax: limits.frameBytesMax,
        inFlightMax: limits.inFlightMax,
        outputBytesMax: limits.outputBytesMax,
        helloMs: timeouts.helloMs,
        frameMs: timeouts.frameMs,
        idleMs: timeouts.idleMs,
        writeStallMs: timeouts.writeStallMs,
      },
      perAddress: {
        connectionsMax: limits.connectionsPerAddressMax,
        unauthenticatedMax: limits.unauthenticatedPerAddressMax,
        connectRateMax: limits.connectRatePerAddress,
      },
      version: BROKER_VERSION,
      epoch,
      heartbeatMs: workers.heartbeatMs,
      workerDeadMs: workers.deadMs,
    },
  )
  metrics.collectFrom(async () => ({
    queues: pipeline.reads.queues(),
    workers: pipeline.reads.workers(),
    parkedClaims: pipeline.parkedClaims,
    connections: tcp.connectionCount,
    durableLsn: partition.commits.durableLsn,
    freeBytes: disk.freeBytes,
    storeBytes: await store.sizeBytes().catch(() => 0),
    journalBytes: partition.journal.bytes,
  }))
  const http = config.http.enabled
    ? new HttpServer({
        host: config.http.host,
        port: config.http.port,
        metrics: () => metrics.scrape(),
        readiness: () => readinessOf(parts),
        startupLog: () => pipeline.reads.reports,
        mayRead: (token, isLoopback) =>
          config.http.allowAnonymous || authenticator.authenticate(token, isLoopback) !== undefined,
        onFailure: (error) => log.error({ event: 'http-failed', error }),
      })
    : undefined
  return { tcp, http }
}

/** Why the broker should get no new work; empty if it is ready. */
function readinessOf(parts: Pick<Assembled, 'config' | 'partition' | 'disk'>): string[] {
  const { config, partition, disk } = parts
  const reasons: string[] = []
  const { flyingMs } = partition.commits
  if (flyingMs > config.limits.commitMsMax) {
    reasons.push(`a commit has taken ${Math.round(flyingMs)} ms so far`)
  }
  if (disk.freeBytes < config.limits.freeBytesMin) {
    reasons.push(`only ${disk.freeBytes} bytes are free on the disk`)
  }
  return reasons
}

async function listen(parts: Assembled): Promise<void> {
  try {
    await parts.http?.start()
    await parts.tcp.start()
  } catch (error) {
    parts.http?.destroy()
    parts.tcp.destroy('it does not listen')
    parts.disk.stop()
    throw error
  }
  parts.ticker.start()
  // Counting goes on beside the work; a read that fails here fails for whoever asks next as well.
  void parts.housekeeping.begin().catch((error: unknown) => {
    parts.log.error({ event: 'housekeeping-failed', error: String(error) })
  })
}

async function publish(parts: Assembled, report: StartupReport): Promise<void> {
  const { log, pipeline, config } = parts
  log.info({ event: 'started', ...report, address: parts.tcp.address })
  if (report.abortedBefore !== undefined) {
    log.warn({ event: 'start-aborted-before', step: report.abortedBefore })
  }
  pipeline.reads.publishReports(await keepReport(config.dataDir, report))
}

/** Looks at the free space of the disk now and then; a commit must not wait for that. */
class DiskWatch {
  readonly #directory: string
  #timer: NodeJS.Timeout | undefined
  freeBytes = Infinity

  constructor(directory: string) {
    this.#directory = directory
  }

  async start(): Promise<void> {
    await this.#look()
    this.#timer = setInterval(() => void this.#look(), FREE_BYTES_EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    this.freeBytes = await freeBytes(this.#directory).catch(() => this.freeBytes)
  }
}

/** The first reason for which the broker cannot go on. */
class Failure {
  readonly happened: Promise<string>
  #resolve: (reason: string) => void = () => undefined

  constructor() {
    this.happened = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  report(reason: string): void {
    this.#resolve(reason)
  }
}
