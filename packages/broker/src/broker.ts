// The broker: opens the store, recovers, listens; stops in the reverse order.

import { systemClock, systemRandom, systemScheduler } from '@tq/core'
import { type Assembly, assemble, type BrokerStore } from './assembly.ts'
import type { BrokerConfig } from './config/config.ts'
import { Failure } from './failure.ts'
import type { ListeningAddress } from './net/server.ts'
import type { Logger } from './observe/log.ts'
import type { World } from './pipeline/partition.ts'
import { StartupLog } from './startup-log.ts'
import { Startup } from './startup.ts'
import { LevelStore, type LevelStoreOptions } from './storage/level-store.ts'
import { type Opened, StoreError } from './storage/port.ts'

export interface BrokerParts {
  readonly log: Logger
  /** Time and chance; the system's own if left out. */
  readonly world?: World
  /** The store to run on; LevelDB if left out. */
  readonly makeStore?: (options: LevelStoreOptions) => BrokerStore
}

const SYSTEM: World = { clock: systemClock, scheduler: systemScheduler, random: systemRandom }

export class Broker {
  /** Why the broker cannot go on; never resolves while all is well, or after it was stopped. */
  readonly failed: Promise<string>
  readonly #parts: Assembly
  readonly #halted: Promise<void>
  #halt: () => void = () => undefined
  #httpAddress: ListeningAddress | undefined
  #counting: Promise<void> = Promise.resolve()
  #draining: Promise<void> | undefined
  #ending: Promise<void> | undefined

  /**
   * Starts a broker; resolves when it listens.
   * @throws {StoreError} the store cannot be trusted · an error with code EADDRINUSE and the like.
   * Nothing is left running then, and the data directory is free.
   */
  static async start(config: BrokerConfig, parts: BrokerParts): Promise<Broker> {
    const { log, world = SYSTEM, makeStore = (options) => new LevelStore(options) } = parts
    const startup = new Startup(world.clock, config.dataDir)
    const failure = new Failure()
    const store = makeStore({
      directory: config.dataDir,
      allowAnyFilesystem: config.allowAnyFilesystem,
      tuning: config.storage,
      onFailure: (error) => failure.report(error.message),
      onStep: startup.enterOpening,
      // Refused is not cut off: the next start has nothing to report.
      onRefused: () => startup.ended(),
      scheduler: world.scheduler,
      random: world.random,
    })
    let broker: Broker | undefined
    let isOpen = false
    try {
      const opened = await store.open()
      isOpen = true
      startup.opened()
      broker = new Broker(await assemble({ config, log, world, store, failure }, opened, startup))
      await broker.#start(startup, opened)
      return broker
    } catch (error) {
      // As above: what the store took, recovery or the network may refuse. Still under its lock.
      if (isOpen) await startup.ended().catch(() => undefined)
      const ended = broker === undefined ? store.close() : broker.#end()
      // What went wrong before is the reason, whatever closing finds.
      await ended.catch(() => undefined)
      throw error
    }
  }

  private constructor(parts: Assembly) {
    this.#parts = parts
    this.failed = parts.failure.happened
    this.#halted = new Promise((resolve) => {
      this.#halt = resolve
    })
    parts.failure.whenHappened(() => this.#fallSilent())
  }

  /** Where clients connect; kept after the end. */
  get address(): ListeningAddress {
    return this.#parts.tcp.address
  }

  /** Where metrics and health are; undefined if they are switched off. */
  get httpAddress(): ListeningAddress | undefined {
    return this.#httpAddress
  }

  /**
   * Drains: answers what was asked, refuses what is new, and leaves the leases to their workers.
   * After the deadline nobody is answered any more. Resolves when nothing runs, and the data
   * directory is free; safe twice.
   */
  async stop(options: { readonly deadlineMs: number }): Promise<void> {
    if (this.#ending === undefined) this.#draining ??= this.#drain(options.deadlineMs)
    await this.#draining
    await this.#end()
  }

  /** Ends at once, without answering anybody. `stop` tells when the data directory is free. */
  destroy(): void {
    this.#fallSilent()
    // A store that cannot be closed in order is what a kill leaves as well: the next start copes.
    void this.#end().catch(() => undefined)
  }

  async #start(startup: Startup, opened: Opened): Promise<void> {
    const { config, log, tcp, http, pipeline, ticker, disk, readiness, failure } = this.#parts
    const startupLog = new StartupLog(config.dataDir)
    const earlier = await startupLog.read()
    await disk.start()
    await startup.run('listen', async () => {
      await http?.start()
      await tcp.start()
      this.#httpAddress = http?.address
      return { value: undefined, counts: {} }
    })
    const report = startup.report({ epoch: opened.ownership.epoch, lsn: opened.lsn })
    pipeline.reads.publishReports([report, ...earlier])
    readiness.enter('running')
    ticker.start()
    this.#counting = this.#countKept()
    await startup.ended()
    const reports = await startupLog.keep(report, earlier)
    pipeline.reads.publishReports(reports)
    if (failure.reason !== undefined) throw new StoreError('IO', failure.reason)
    log.info({ event: 'started', ...(reports[0] ?? report) })
    if (report.abortedBefore !== undefined) {
      log.warn({ event: 'start-aborted-before', step: report.abortedBefore })
    }
  }

  /** Counting goes on beside the work; a read that fails fails for whoever asks next as well. */
  async #countKept(): Promise<void> {
    const { housekeeping, log } = this.#parts
    await housekeeping.begin().catch((error: unknown) => {
      // At its end a broker closes the store, whoever may be reading it.
      if (this.#ending === undefined) log.error({ event: 'housekeeping-failed', error })
    })
  }

  async #drain(deadlineMs: number): Promise<void> {
    const { tcp, pipeline, ticker, housekeeping, partition, readiness, world } = this.#parts
    readiness.enter('stopping')
    tcp.announceClosing('the broker stops', deadlineMs)
    ticker.stop()
    housekeeping.stop()
    pipeline.tick()
    pipeline.stop()
    const answered = tcp.stop(deadlineMs)
    // What a client that has gone asked for is carried out as well: its commit may be under way.
    const done = Promise.all([answered, this.#counting]).then(() => partition.commits.idle())
    let onDeadline: () => void = () => undefined
    const overdue = new Promise<void>((resolve) => (onDeadline = resolve))
    const timer = world.scheduler.after(deadlineMs, onDeadline)
    await Promise.race([done, overdue, this.#halted])
    timer.cancel()
  }

  /** Nothing more is said to anybody, and nothing begins any more. */
  #fallSilent(): void {
    const { tcp, http, pipeline, ticker, housekeeping, disk, space, readiness, health } =
      this.#parts
    readiness.enter('stopping')
    ticker.stop()
    housekeeping.stop()
    disk.stop()
    space.stop()
    health.stop()
    pipeline.silence()
    pipeline.stop()
    tcp.destroy('the broker is gone')
    http?.destroy()
    this.#halt()
  }

  #end(): Promise<void> {
    this.#ending ??= this.#close()
    return this.#ending
  }

  /** Closes what is open, whatever state it is in. */
  async #close(): Promise<void> {
    const { tcp, http, store, failure } = this.#parts
    failure.settle()
    this.#fallSilent()
    await Promise.all([tcp.stop(0), http?.stop()])
    await store.close()
  }
}
