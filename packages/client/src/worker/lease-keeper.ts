// Sends heartbeats for all leases of a worker, at one rhythm, and hears what has to stop.

import type { ReplyOf, StopOrder, Timer, TqError } from '@tq/core'
import type { Call } from '../call.ts'
import type { LeaseView, ViewedLease } from './lease-view.ts'
import type { Session } from '../session.ts'

export interface KeeperEvents {
  stop(orders: readonly StopOrder[]): void
  failed(error: TqError): void
}

export interface KeeperOptions {
  readonly view: LeaseView
  /** The session whose leases these are. */
  readonly worker: Uint8Array
  readonly leaseMs: number
  readonly events: KeeperEvents
}

/** So many heartbeats in the length of a lease: two may get lost. */
const BEATS_PER_LEASE = 3

export class LeaseKeeper {
  readonly #session: Session
  readonly #options: KeeperOptions
  #intervalMs: number
  /** The clock of this thread minus that of the table. */
  #clockOffsetMs = 0
  #timer: Timer | undefined
  #isAsking = false
  #isAgain = false
  #isStopped = false

  constructor(session: Session, options: KeeperOptions) {
    this.#session = session
    this.#options = options
    this.#intervalMs = Math.floor(options.leaseMs / BEATS_PER_LEASE)
  }

  /** A broker is there: take its rhythm, and tell it at once what is held. */
  begin(heartbeatMs: number): void {
    const { leaseMs } = this.#options
    this.#intervalMs = Math.min(heartbeatMs, Math.floor(leaseMs / BEATS_PER_LEASE))
    this.beat()
  }

  /** @param offsetMs How much this thread's clock is ahead of the table's; rather too much. */
  setClockOffset(offsetMs: number): void {
    this.#clockOffsetMs = offsetMs
  }

  /** Sends a heartbeat now, or right after the answer to the one on its way. */
  beat(): void {
    if (this.#isStopped) return
    if (this.#isAsking) this.#isAgain = true
    else this.#tick()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #tick(): void {
    this.#timer?.cancel()
    this.#timer = this.#session.settings.scheduler.after(this.#intervalMs, () => this.#tick())
    if (!this.#isAsking && this.#session.isConnected) this.#ask()
  }

  #ask(): void {
    const { view, worker, events } = this.#options
    const { received, leases } = view.read()
    this.#isAsking = true
    let call: Call | undefined
    call = this.#session.send({
      request: { verb: 'heartbeat', session: worker, leases, received },
      deadlineAtMs: this.#session.settings.clock.monotonicMs() + this.#intervalMs * 2,
      // Not repeated: what it says is old by then. The next connection begins with a new one.
      isResent: false,
      isControl: true,
      done: (reply: ReplyOf<'heartbeat'>) => {
        this.#take(reply, leases, call?.sentAtMs ?? 0)
        this.#finish()
      },
      failed: (error) => {
        events.failed(error as TqError)
        this.#finish()
      },
    })
  }

  #take(reply: ReplyOf<'heartbeat'>, leases: readonly ViewedLease[], sentAtMs: number): void {
    const { view, events } = this.#options
    const atMs = sentAtMs - this.#clockOffsetMs
    const orders = reply.stop ?? []
    // A task to be cancelled is still held until its worker confirms; the others are gone.
    const gone = orders.filter(([, , reason]) => reason !== 'cancelled')
    for (const lease of leases) if (!names(gone, lease)) view.renew(lease, atMs)
    view.setAnswered(atMs)
    if (orders.length > 0) events.stop(orders)
  }

  #finish(): void {
    this.#isAsking = false
    if (!this.#isAgain) return
    this.#isAgain = false
    this.beat()
  }
}

function names(orders: readonly StopOrder[], lease: ViewedLease): boolean {
  return orders.some(([id, token]) => token === lease.token && Buffer.compare(id, lease.id) === 0)
}
