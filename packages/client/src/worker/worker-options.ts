// What a worker may be told, each with its default, unit and reason.

import { type Labels, limits, TqError } from '@tq/core'
import type { TqClient } from '../client.ts'
import { type ClientOptions, wholeOption } from '../client-options.ts'
import type { WorkerEvent } from './worker-event.ts'

export interface WorkerOptions extends Omit<
  ClientOptions,
  'onEvent' | 'reconnect' | 'keepaliveMs'
> {
  /** Wait between rounds over the addresses; a worker never gives up. */
  readonly reconnect?: { readonly baseMs?: number; readonly capMs?: number }
  /**
   * Where to take addresses, token and the like from, instead of naming them. The worker opens a
   * connection of its own all the same: a session is one worker.
   */
  readonly client?: TqClient
  /** Queues to claim from. */
  readonly queues: readonly string[]
  /** How the registry shows this worker. Default `tq-worker`. */
  readonly name?: string
  /** What this worker can do; tasks with `requires` look for it. */
  readonly labels?: Labels
  /** Most tasks at a time. Default 16. */
  readonly concurrency?: number
  /** Length of a lease in ms; heartbeats renew it. Default 15,000. */
  readonly leaseMs?: number
  /** How long the broker may hold a claim until there is work, in ms. Default 30,000. */
  readonly waitMs?: number
  /** How several queues are visited; default `round`. */
  readonly order?: 'round' | 'strict'
  readonly weights?: Readonly<Record<string, number>>
  readonly minPriority?: number
  /** How long `stop` lets running tasks go on, in ms. Default 30,000. */
  readonly drainMs?: number
  /**
   * Heartbeats come from a thread of their own, so that a handler that computes for a minute keeps
   * its leases. `false`: from the worker's own event loop, for tests and simulations. `execArgv`:
   * Node flags of the thread, needed to run from TypeScript sources. Default true.
   */
  readonly heartbeatThread?: boolean | { readonly execArgv: readonly string[] }
  /** Told what happens to the worker and its tasks; for logs. Must not throw. */
  readonly onEvent?: (event: WorkerEvent) => void
}

export interface WorkerSettings {
  readonly queues: readonly string[]
  readonly name: string
  readonly labels: Labels
  readonly concurrency: number
  readonly leaseMs: number
  readonly waitMs: number
  readonly order: 'round' | 'strict'
  readonly weights: Readonly<Record<string, number>> | undefined
  readonly minPriority: number | undefined
  readonly drainMs: number
  readonly heartbeatThread: false | { readonly execArgv: readonly string[] | undefined }
  readonly emit: (event: WorkerEvent) => void
}

/** All leases of a worker go into each heartbeat, those that wait for an acknowledgement too. */
const CONCURRENCY_MAX = limits.HEARTBEAT_LEASES_MAX / 2

/** Fills in the defaults. Throws BAD_REQUEST naming the option that is wrong. */
export function workerSettings(options: WorkerOptions): WorkerSettings {
  if (options.queues.length === 0) throw wrong('queues', 'is empty; name at least one queue')
  const thread = options.heartbeatThread ?? true
  const { clock, scheduler, dial } = { ...options.client?.options, ...options }
  if (thread !== false && (clock ?? scheduler ?? dial) !== undefined) {
    throw wrong('heartbeatThread', 'must be false with a clock, scheduler or dial of your own')
  }
  return {
    queues: options.queues,
    name: options.name ?? 'tq-worker',
    labels: options.labels ?? {},
    concurrency: inRange('concurrency', options.concurrency, 16, CONCURRENCY_MAX),
    leaseMs: leaseMsOf(options),
    waitMs: inRange('waitMs', options.waitMs, limits.WAIT_MS_MAX, limits.WAIT_MS_MAX),
    order: options.order ?? 'round',
    weights: options.weights,
    minPriority: options.minPriority,
    drainMs: wholeOption('drainMs', options.drainMs, 30_000),
    heartbeatThread: threadOf(thread),
    emit: options.onEvent ?? (() => {}),
  }
}

function leaseMsOf(options: WorkerOptions): number {
  const leaseMs = inRange('leaseMs', options.leaseMs, 15_000, limits.LEASE_MS_MAX)
  if (leaseMs >= limits.LEASE_MS_MIN) return leaseMs
  throw wrong('leaseMs', `is ${leaseMs}; it must be ${limits.LEASE_MS_MIN} or more`)
}

function inRange(name: string, value: number | undefined, standard: number, max: number): number {
  const whole = wholeOption(name, value, standard)
  if (whole <= max) return whole
  throw wrong(name, `is ${whole}; it must be ${max} or less`)
}

function threadOf(
  thread: boolean | { readonly execArgv: readonly string[] },
): WorkerSettings['heartbeatThread'] {
  if (typeof thread === 'object') return thread
  return thread ? { execArgv: undefined } : false
}

function wrong(field: string, problem: string): TqError {
  return new TqError('BAD_REQUEST', `${field} ${problem}`, { field })
}
