// The SDK against a broker under test: clients and workers that are closed when their test is over.

import { type ClientOptions, TqClient, TqWorker, type WorkerOptions } from '@tq/client'
import { onTestFinished } from 'vitest'

/** Where a broker, or the proxy in front of one, can be reached. */
export interface Reachable {
  readonly address: { readonly host: string; readonly port: number }
}

const RECONNECT = { baseMs: 5, capMs: 50 }

export function aClient(to: Reachable, options: ClientOptions = {}): TqClient {
  const client = new TqClient({ address: nameOf(to), reconnect: RECONNECT, ...options })
  onTestFinished(() => client.close({ deadlineMs: 0 }))
  return client
}

/** A worker inside this process; its heartbeats come from this event loop. */
export function aWorker(
  to: Reachable,
  options: Partial<WorkerOptions> & Pick<WorkerOptions, 'queues'>,
): TqWorker {
  const worker = new TqWorker({
    address: nameOf(to),
    heartbeatThread: false,
    reconnect: RECONNECT,
    ...options,
  })
  onTestFinished(() => worker.stop({ deadlineMs: 0, graceMs: 0 }))
  return worker
}

function nameOf({ address }: Reachable): string {
  return `${address.host}:${address.port}`
}
