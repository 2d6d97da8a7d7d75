// Clients, sessions and brokers for tests, each closed when its test is over.

import { onTestFinished } from 'vitest'
import { TqClient } from '../src/client.ts'
import { type ClientOptions, type ClientSettings, clientSettings } from '../src/client-options.ts'
import { Session, type SessionEvents } from '../src/session.ts'
import { TqWorker } from '../src/worker/worker.ts'
import type { WorkerOptions } from '../src/worker/worker-options.ts'
import { ManualTime } from './manual-time.ts'
import { type Script, ScriptedBroker } from './scripted-broker.ts'

export async function aBroker(script: Script = {}, port = 0): Promise<ScriptedBroker> {
  const broker = await ScriptedBroker.start(script, port)
  onTestFinished(() => broker.stop())
  return broker
}

export function aClient(broker: { address: string }, options: ClientOptions = {}): TqClient {
  const client = new TqClient({ address: broker.address, ...options })
  onTestFinished(() => client.close({ deadlineMs: 0 }))
  return client
}

export function aSession(
  broker: { address: string },
  options: ClientOptions & Partial<Pick<ClientSettings, 'outlivesRefusal'>> = {},
  events: SessionEvents = {},
): Session {
  const { outlivesRefusal = false, ...rest } = options
  const settings = clientSettings({ address: broker.address, reconnect: { baseMs: 1 }, ...rest })
  const session = new Session({ ...settings, outlivesRefusal }, events)
  onTestFinished(() => session.close(0))
  return session
}

/** A worker without a heartbeat thread, unless asked for. */
export function aWorker(
  broker: { address: string },
  options: Partial<WorkerOptions> = {},
): TqWorker {
  const worker = new TqWorker({
    address: broker.address,
    queues: ['mail'],
    heartbeatThread: false,
    reconnect: { baseMs: 1 },
    ...options,
  })
  onTestFinished(() => stopNow(worker, options.scheduler))
  return worker
}

/** Stops the worker, and moves the time while it does if that is the test's to move. */
async function stopNow(worker: TqWorker, scheduler: unknown): Promise<void> {
  let isStopped = false
  const stopped = worker.stop({ deadlineMs: 0, graceMs: 0 }).then(() => (isStopped = true))
  if (scheduler instanceof ManualTime) {
    await until(() => {
      scheduler.advance(100)
      return isStopped
    })
  }
  await stopped
}

/** A port of the loopback where nobody listens. */
export async function aDeadAddress(): Promise<string> {
  const broker = await ScriptedBroker.start()
  await broker.stop()
  return broker.address
}

/** Resolves when `holds` does, looking after each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
