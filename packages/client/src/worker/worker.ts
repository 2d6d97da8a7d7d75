// A worker: registers, claims tasks while slots are free, keeps their leases, drains.

import { type ReplyOf, type StopOrder, TqError } from '@tq/core'
import { Claimer } from './claimer.ts'
import { TqClient } from '../client.ts'
import { type ClientOptions, type ClientSettings, clientSettings } from '../client-options.ts'
import { CLIENT_VERSION } from '../client-version.ts'
import { Drain } from './drain.ts'
import { type Handler, Handlers } from './handler.ts'
import { type Heartbeats, HeartbeatThread, inlineHeartbeats } from './heartbeats.ts'
import { Session } from '../session.ts'
import { Workbench } from './workbench.ts'
import type { WorkerEvent } from './worker-event.ts'
import { type WorkerOptions, type WorkerSettings, workerSettings } from './worker-options.ts'

export type WorkerState = 'new' | 'starting' | 'running' | 'draining' | 'stopped'

export interface WorkerHealth {
  readonly state: WorkerState
  readonly isConnected: boolean
  readonly running: number
  readonly slots: number
  /** Since the last answer to a claim, in ms; a claim may be parked for `waitMs`. */
  readonly claimAgeMs: number | undefined
  /** Since the sending of the last heartbeat that was answered, in ms. */
  readonly heartbeatAgeMs: number | undefined
  /** The smaller of both: so long ago the broker was certainly there for this worker. */
  readonly exchangeAgeMs: number | undefined
}

/** How long an aborted handler may take to end, in ms. */
const GRACE_MS = 1_000
/** How long a registration may take, and how long until the next one if it failed, in ms. */
const REGISTER_MS = 10_000
const REGISTER_AGAIN_MS = 1_000
/** How long the last acknowledgements and the farewell may take, in ms. */
const FAREWELL_MS = 2_000
/** So many signs of life in the length of a lease: they bound how old a new lease may be. */
const PINGS_PER_LEASE = 3

export class TqWorker {
  /** For handlers that enqueue further tasks, over this worker's connection. Do not claim by it. */
  readonly client: TqClient
  readonly #settings: WorkerSettings
  readonly #session: Session
  readonly #handlers = new Handlers()
  readonly #bench: Workbench
  readonly #claimer: Claimer
  readonly #heartbeats: Heartbeats
  readonly #drain: Drain
  #state: WorkerState = 'new'
  #starting: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined
  #stopping: Promise<void> | undefined

  constructor(options: WorkerOptions) {
    const settings = workerSettings(options)
    this.#settings = settings
    this.#session = new Session(this.#sessionSettings(options), {
      ready: (hello) => this.#register(hello.heartbeatMs),
      push: (channel, data) => {
        if (channel === 'stop') this.#bench.obey(data as readonly StopOrder[])
      },
    })
    this.client = new TqClient(clientOptionsOf(options), this.#session)
    this.#bench = new Workbench(this.#session, {
      handlers: this.#handlers,
      concurrency: settings.concurrency,
      leaseMs: settings.leaseMs,
      emit: settings.emit,
      slotFreed: () => this.#slotFreed(),
      renewSoon: () => this.#heartbeats.beat(),
    })
    this.#claimer = this.#makeClaimer()
    this.#heartbeats = this.#makeHeartbeats()
    this.#drain = new Drain(this.#session.settings, () => this.#bench.runningCount === 0)
  }

  /**
   * Says which function runs the tasks of a type, before `start`; `*` is for all other types.
   * @throws {TqError} CONFLICT if the type has a handler, INVALID_STATE after `start`.
   */
  handle(type: string, handler: Handler): this {
    if (this.#state !== 'new') throw new TqError('INVALID_STATE', 'the worker has been started')
    this.#handlers.add(type, handler)
    return this
  }

  /**
   * Resolves when a broker has registered this worker; until one is there it goes on trying.
   * @throws {TqError} if the broker refuses the token or the registration. Then it is stopped.
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new TqError('INVALID_STATE', 'a worker starts only once')
    if (this.#handlers.types.length === 0) {
      throw new TqError('BAD_REQUEST', 'the worker has no handler; call handle() before start()')
    }
    this.#state = 'starting'
    try {
      await this.#heartbeats.start()
      await new Promise<void>((resolve, reject) => {
        this.#starting = { resolve, reject }
        if (this.#stopping === undefined) this.#session.connect()
        else resolve()
      })
    } catch (error) {
      await this.stop({ deadlineMs: 0 })
      throw error
    }
  }

  /**
   * Claims no more, lets running tasks end until `deadlineMs` (default `drainMs`), aborts the rest,
   * and gives back what still runs after `graceMs` (default 1,000), which costs no attempt. Called
   * again, it only brings the deadline nearer.
   */
  stop(options: { readonly deadlineMs?: number; readonly graceMs?: number } = {}): Promise<void> {
    const deadlineMs = options.deadlineMs ?? this.#settings.drainMs
    if (this.#stopping !== undefined) this.#drain.hurry(deadlineMs)
    this.#stopping ??= this.#stop(deadlineMs, options.graceMs ?? GRACE_MS)
    return this.#stopping
  }

  health(): WorkerHealth {
    const nowMs = this.#session.settings.clock.monotonicMs()
    const ageMs = (atMs: number | undefined): number | undefined => {
      return atMs === undefined || atMs === 0 ? undefined : Math.max(0, nowMs - atMs)
    }
    const claimAgeMs = ageMs(this.#claimer.answeredAtMs)
    const heartbeatAgeMs = ageMs(this.#bench.table.answeredAtMs)
    const exchangeAgeMs = Math.min(claimAgeMs ?? Infinity, heartbeatAgeMs ?? Infinity)
    return {
      state: this.#state,
      isConnected: this.#session.isConnected,
      running: this.#bench.runningCount,
      slots: this.#settings.concurrency,
      claimAgeMs,
      heartbeatAgeMs,
      exchangeAgeMs: exchangeAgeMs === Infinity ? undefined : exchangeAgeMs,
    }
  }

  async #stop(deadlineMs: number, graceMs: number): Promise<void> {
    const wasStarted = this.#state === 'starting' || this.#state === 'running'
    this.#starting?.resolve()
    this.#state = 'draining'
    this.#bench.close()
    if (wasStarted) await this.#drainAndLeave(deadlineMs, graceMs)
    this.#bench.stopWatching()
    await this.#heartbeats.stop()
    await this.#session.close(0)
    this.#state = 'stopped'
    this.#settings.emit({ kind: 'stopped' })
  }

  async #drainAndLeave(deadlineMs: number, graceMs: number): Promise<void> {
    this.#settings.emit({ kind: 'draining', running: this.#bench.runningCount })
    const claimsEnded = this.#claimer.stop()
    await this.#drain.wait(deadlineMs)
    this.#bench.stopAll('shutdown')
    await this.#drain.wait(graceMs)
    await this.#orFarewell(claimsEnded.then(() => this.#bench.clear()))
    if (!this.#session.isConnected) return // nobody to take leave of: the leases end by themselves
    await this.client.leave({ timeoutMs: FAREWELL_MS }).catch(() => {}) // silence says the same
  }

  /** Waits for `last`, but not for a broker that does not answer any more. */
  #orFarewell(last: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#session.settings.scheduler.after(FAREWELL_MS, resolve)
      void last.then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  #register(heartbeatMs: number): void {
    const { name, labels, concurrency } = this.#settings
    this.#session.send({
      request: { verb: 'register', name, version: CLIENT_VERSION, labels, slots: concurrency },
      deadlineAtMs: this.#session.settings.clock.monotonicMs() + REGISTER_MS,
      isResent: false, // the next connection registers by itself
      isControl: true,
      done: () => this.#beRegistered(),
      failed: (error) => this.#failToRegister(error as TqError, heartbeatMs),
    })
    this.#heartbeats.begin(heartbeatMs)
  }

  #failToRegister(error: TqError, heartbeatMs: number): void {
    if (this.#stopping !== undefined) return
    this.#settings.emit({ kind: 'register-refused', error })
    if (!error.retryable) this.#starting?.reject(error)
    this.#session.settings.scheduler.after(REGISTER_AGAIN_MS, () => {
      const isOver = this.#stopping !== undefined || !this.#session.isConnected
      if (!isOver) this.#register(heartbeatMs)
    })
  }

  #beRegistered(): void {
    this.#settings.emit({ kind: 'registered' })
    if (this.#state !== 'starting') return
    this.#state = 'running'
    this.#starting?.resolve()
    this.#claimer.pump()
  }

  #slotFreed(): void {
    this.#claimer.pump()
    this.#drain.check()
  }

  #makeClaimer(): Claimer {
    const { queues, leaseMs, waitMs, order, weights, minPriority, emit } = this.#settings
    const plan = {
      queues,
      leaseMs,
      waitMs,
      order,
      ...(weights === undefined ? {} : { weights }),
      ...(minPriority === undefined ? {} : { minPriority }),
    }
    return new Claimer(this.#session, plan, {
      freeSlots: () => this.#bench.freeSlots,
      claimed: (tasks: ReplyOf<'claim'>['tasks'], grantedAtMs) => {
        this.#bench.take(tasks, grantedAtMs)
      },
      received: (claim) => this.#bench.table.setReceived(claim),
      refused: (error) => emit({ kind: 'claim-refused', error }),
    })
  }

  #makeHeartbeats(): Heartbeats {
    const { heartbeatThread, leaseMs, emit } = this.#settings
    const options = {
      table: this.#bench.table,
      leaseMs,
      events: {
        stop: (orders: readonly StopOrder[]) => this.#bench.obey(orders),
        failed: (error: TqError) => emit({ kind: 'heartbeat-failed', error }),
      },
    }
    return heartbeatThread === false
      ? inlineHeartbeats(this.#session, options)
      : new HeartbeatThread(this.#session, options, heartbeatThread.execArgv)
  }

  #sessionSettings(options: WorkerOptions): ClientSettings {
    const { leaseMs, name, emit } = this.#settings
    const onEvent = (event: WorkerEvent): void => {
      emit(event)
      if (event.kind === 'refused') this.#starting?.reject(event.error)
    }
    const keepaliveMs = Math.floor(leaseMs / PINGS_PER_LEASE)
    const settings = clientSettings({ ...clientOptionsOf(options), name, keepaliveMs, onEvent })
    return { ...settings, keepsDialing: true, outlivesRefusal: true }
  }
}

/** What of the options concerns the connection, with those of the client it was given. */
function clientOptionsOf(options: WorkerOptions): ClientOptions {
  const { onEvent: _tasksToo, client, ...own } = options
  return { ...client?.options, ...own }
}
