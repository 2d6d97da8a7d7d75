#!/usr/bin/env node
// tq-worker: flags, handlers, signals; runs a TqWorker. The only file that ends the process.

import { TqError, TqWorker } from '@tq/client'
import { loadHandlers, UsageError } from './handler-module.ts'
import { readWorkerFlags, type WorkerFlags } from './worker-flags.ts'
import { createWorkerLog, logWorkerEvent } from './worker-log.ts'

/** 0 stopped as asked · 1 could not go on · 2 wrong flags or module. */
type Exit = 0 | 1 | 2

process.exit(await main())

async function main(): Promise<Exit> {
  try {
    const commandLine = await readWorkerFlags(process.argv.slice(2), process.env)
    if (commandLine.kind === 'run') return await run(commandLine.flags)
    process.stdout.write(`${commandLine.text}\n`)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`tq-worker: ${error.message}\n`)
      return 2
    }
    if (error instanceof TqError) {
      process.stderr.write(`tq-worker: ${error.code}: ${error.message}\n`)
      return error.code === 'BAD_REQUEST' ? 2 : 1
    }
    throw error
  }
}

async function run(flags: WorkerFlags): Promise<Exit> {
  const handlers = await loadHandlers(flags.module)
  const log = createWorkerLog(flags.logLevel, flags.name)
  const worker = new TqWorker({
    addresses: flags.addresses,
    queues: flags.queues,
    name: flags.name,
    labels: flags.labels,
    concurrency: flags.concurrency,
    leaseMs: flags.leaseMs,
    drainMs: flags.drainMs,
    order: flags.order,
    ...(flags.minPriority === undefined ? {} : { minPriority: flags.minPriority }),
    ...(flags.token === undefined ? {} : { token: flags.token }),
    onEvent: (event) => logWorkerEvent(log, event),
  })
  for (const [type, handler] of Object.entries(handlers)) worker.handle(type, handler)
  const { queues, addresses, concurrency } = flags
  log.info({ event: 'starting', queues, addresses, concurrency, types: Object.keys(handlers) })
  const stopped = new Promise<void>((resolve, reject) => {
    let signals = 0
    const onSignal = (signal: NodeJS.Signals): void => {
      signals += 1
      log.info({ event: 'stopping', signal, at: signals === 1 ? 'drain' : 'once' })
      // A second signal brings the deadline to now.
      worker.stop(signals === 1 ? {} : { deadlineMs: 0, graceMs: 0 }).then(resolve, reject)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
  await Promise.race([worker.start(), stopped])
  await stopped
  return 0
}
