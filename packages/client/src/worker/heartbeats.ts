// Who keeps a worker's leases alive: a thread with a connection of its own, or the worker itself.

import { Worker } from 'node:worker_threads'
import { type StopOrder, type Timer, TqError, unreachable } from '@tq/core'
import { formatAddress } from '../address.ts'
import type {
  HeartbeatThreadData,
  MessageFromThread,
  MessageToThread,
} from './heartbeat-message.ts'
import { type KeeperEvents, LeaseKeeper } from './lease-keeper.ts'
import type { LeaseTable } from './lease-table.ts'
import { LeaseView } from './lease-view.ts'
import type { Session } from '../session.ts'

export interface Heartbeats {
  /** Resolves when heartbeats are sent as soon as a broker is there. */
  start(): Promise<void>
  /** The worker's own session is connected and registered. */
  begin(heartbeatMs: number): void
  /** Send one now: new leases have little time left. */
  beat(): void
  stop(): Promise<void>
}

export interface HeartbeatOptions {
  readonly table: LeaseTable
  readonly leaseMs: number
  readonly events: KeeperEvents
}

/** Heartbeats from the thread and over the connection of the worker itself. */
export function inlineHeartbeats(session: Session, options: HeartbeatOptions): Heartbeats {
  const view = new LeaseView(options.table.buffer)
  const keeper = new LeaseKeeper(session, { ...options, view, worker: session.id })
  return {
    start: () => Promise.resolve(),
    begin: (heartbeatMs) => keeper.begin(heartbeatMs),
    beat: () => keeper.beat(),
    stop: () => {
      keeper.stop()
      return Promise.resolve()
    },
  }
}

/** A thread that died is started again after so long, in ms. */
const RESTART_MS = 1_000
/** A thread that does not stop by itself is terminated after so long, in ms. */
const STOP_MS = 1_000

/** Heartbeats that go on while the main thread is busy. */
export class HeartbeatThread implements Heartbeats {
  readonly #session: Session
  readonly #options: HeartbeatOptions
  readonly #execArgv: readonly string[] | undefined
  #thread: Worker | undefined
  #restart: Timer | undefined
  #isStopped = false

  /** @param execArgv Node flags of the thread; default those of the process. */
  constructor(session: Session, options: HeartbeatOptions, execArgv?: readonly string[]) {
    this.#session = session
    this.#options = options
    this.#execArgv = execArgv
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => this.#spawn(resolve, reject))
  }

  begin(): void {
    this.#say({ kind: 'beat' })
  }

  beat(): void {
    this.#say({ kind: 'beat' })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#restart?.cancel()
    const thread = this.#thread
    if (thread === undefined) return
    this.#thread = undefined
    const ended = new Promise<void>((resolve) => void thread.once('exit', () => resolve()))
    thread.postMessage({ kind: 'stop' } satisfies MessageToThread)
    const timer = this.#session.settings.scheduler.after(STOP_MS, () => void thread.terminate())
    await ended
    timer.cancel()
  }

  #spawn(up: () => void, failed: (error: Error) => void): void {
    const thread = new Worker(threadUrl(), {
      workerData: this.#data(),
      name: 'tq heartbeats',
      ...(this.#execArgv === undefined ? {} : { execArgv: [...this.#execArgv] }),
    })
    thread.on('message', (message: MessageFromThread) => this.#hear(thread, message, up))
    thread.on('error', failed)
    thread.on('exit', () => this.#mourn(thread))
    this.#thread = thread
  }

  #hear(thread: Worker, message: MessageFromThread, up: () => void): void {
    switch (message.kind) {
      case 'up': {
        const mainMs = this.#session.settings.clock.monotonicMs()
        thread.postMessage({ kind: 'clock', mainMs } satisfies MessageToThread)
        // Only now: until it is up, nothing else may keep the process alive.
        thread.unref()
        return up()
      }
      case 'stop-orders':
        return this.#options.events.stop(message.orders.map(withBytes))
      case 'failed':
        return this.#options.events.failed(new TqError(message.code, message.message))
      default:
        return unreachable(message)
    }
  }

  #mourn(thread: Worker): void {
    if (this.#isStopped || this.#thread !== thread) return
    this.#thread = undefined
    const { events } = this.#options
    this.#restart = this.#session.settings.scheduler.after(RESTART_MS, () => {
      this.#spawn(
        () => {},
        (error) => events.failed(new TqError('INTERNAL', String(error), {}, error)),
      )
    })
    events.failed(new TqError('INTERNAL', `the heartbeat thread ended; next in ${RESTART_MS} ms`))
  }

  #say(message: MessageToThread): void {
    this.#thread?.postMessage(message)
  }

  #data(): HeartbeatThreadData {
    const { addresses, token, name, connectTimeoutMs, reconnect } = this.#session.settings
    const { table, leaseMs } = this.#options
    return {
      addresses: addresses.map(formatAddress),
      token,
      name,
      connectTimeoutMs,
      reconnect,
      table: table.buffer,
      worker: this.#session.id,
      leaseMs,
    }
  }
}

/** The entry point beside this file: TypeScript in the sources, JavaScript in the package. */
function threadUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./heartbeat-thread.${extension}`, import.meta.url)
}

/** The structured clone of a view of bytes brings its whole buffer along; keep the id alone. */
function withBytes([id, token, reason]: StopOrder): StopOrder {
  return [Uint8Array.from(id), token, reason]
}
