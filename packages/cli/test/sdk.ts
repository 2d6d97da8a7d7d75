// Clients and workers for tests, closed when their test is over.

import { type Handler, TqClient, TqWorker } from '@tq/client'
import { onTestFinished } from 'vitest'

interface Reachable {
  readonly address: string
}

export function aClient({ address }: Reachable): TqClient {
  const client = new TqClient({ address })
  onTestFinished(() => client.close({ deadlineMs: 0 }))
  return client
}

/** A worker in this process, started. */
export async function aWorker(
  { address }: Reachable,
  queue: string,
  handlers: Readonly<Record<string, Handler>>,
): Promise<TqWorker> {
  const worker = new TqWorker({
    address,
    queues: [queue],
    name: `worker-of-${queue}`,
    labels: { zone: 'north' },
    concurrency: 4,
    heartbeatThread: false,
  })
  for (const [type, handler] of Object.entries(handlers)) worker.handle(type, handler)
  onTestFinished(() => worker.stop({ deadlineMs: 0, graceMs: 0 }))
  await worker.start()
  return worker
}

/** A handler that runs until its task is stopped, and a promise for its start. */
export function anEndlessHandler(): { readonly handler: Handler; readonly started: Promise<void> } {
  let begin: () => void = () => undefined
  const started = new Promise<void>((resolve) => {
    begin = resolve
  })
  const handler: Handler = (_, { signal }) => {
    begin()
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
  }
  return { handler, started }
}
