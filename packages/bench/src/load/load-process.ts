// A load process: producers or workers apart from the broker, so that CPU can be told apart.

import { type OpaqueBytes, TqClient, TqWorker } from '@tq/client'
import { opaque } from './payload.ts'
import type { LoadAnswer, LoadOrder } from './load-message.ts'

let clients: TqClient[] = []
let target = { port: 0, queue: '' }

process.on('message', (order: LoadOrder) => {
  void carryOut(order).then(answer, (error: unknown) => {
    answer({
      kind: 'failed',
      message: error instanceof Error ? (error.stack ?? '') : String(error),
    })
  })
})

function answer(message: LoadAnswer): void {
  process.send?.(message)
}

async function carryOut(order: LoadOrder): Promise<LoadAnswer> {
  switch (order.kind) {
    case 'connect':
      return connect(order)
    case 'enqueue':
      return timed(() => enqueueAll(order))
    case 'drain':
      return timed(() => drain(order))
    case 'latency':
      return latency(order)
  }
}

async function connect(order: Extract<LoadOrder, { kind: 'connect' }>): Promise<LoadAnswer> {
  target = order
  clients = Array.from(
    { length: order.connections },
    () => new TqClient({ address: `127.0.0.1:${order.port}`, name: 'bench' }),
  )
  await Promise.all(clients.map((client) => client.ping()))
  return { kind: 'ready' }
}

async function timed(work: () => Promise<void>): Promise<LoadAnswer> {
  const cpu = process.cpuUsage()
  const sinceMs = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { kind: 'done', seconds: (performance.now() - sinceMs) / 1_000, cpuUs: user + system }
}

async function enqueueAll(order: Extract<LoadOrder, { kind: 'enqueue' }>): Promise<void> {
  const payload = opaque(order.payloadBytes)
  let left = order.tasks
  const stream = async (client: TqClient): Promise<void> => {
    while (left > 0) {
      const count = Math.min(order.batch, left)
      left -= count
      if (count === 1) await client.enqueue(target.queue, 'noop', payload)
      else await client.enqueueMany(target.queue, batchOf(payload, count))
    }
  }
  await Promise.all(
    clients.flatMap((client) => Array.from({ length: order.outstanding }, () => stream(client))),
  )
}

function batchOf(payload: OpaqueBytes, count: number): { type: string; payload: OpaqueBytes }[] {
  return Array.from({ length: count }, () => ({ type: 'noop', payload }))
}

async function drain(order: Extract<LoadOrder, { kind: 'drain' }>): Promise<void> {
  let acknowledged = 0
  let allDone: () => void = () => undefined
  const done = new Promise<void>((resolve) => (allDone = resolve))
  const workers = clients.map(
    () =>
      new TqWorker({
        address: `127.0.0.1:${target.port}`,
        queues: [target.queue],
        concurrency: order.concurrency,
        onEvent: (event) => {
          if (event.kind !== 'task-completed') return
          acknowledged += 1
          if (acknowledged === order.tasks) allDone()
        },
      }),
  )
  for (const worker of workers) worker.handle('*', () => undefined)
  await Promise.all(workers.map((worker) => worker.start()))
  await done
  await Promise.all(workers.map((worker) => worker.stop()))
}

async function latency(order: Extract<LoadOrder, { kind: 'latency' }>): Promise<LoadAnswer> {
  const [client] = clients
  if (client === undefined) throw new Error('connect first')
  const payload = opaque(order.payloadBytes)
  const cpu = process.cpuUsage()
  const startMs: number[] = []
  const ackMs: number[] = []
  let started: (atMs: number) => void = () => undefined
  let completed: () => void = () => undefined
  const worker = new TqWorker({
    address: `127.0.0.1:${target.port}`,
    queues: [target.queue],
    concurrency: 1,
    onEvent: (event) => {
      if (event.kind === 'task-completed') completed()
    },
  })
  worker.handle('*', () => started(performance.now()))
  await worker.start()
  for (let round = 0; round < order.rounds; round += 1) {
    const start = new Promise<number>((resolve) => (started = resolve))
    const end = new Promise<void>((resolve) => (completed = resolve))
    const sinceMs = performance.now()
    await client.enqueue(target.queue, 'noop', payload)
    ackMs.push(performance.now() - sinceMs)
    startMs.push((await start) - sinceMs)
    await end
  }
  await worker.stop()
  const { user, system } = process.cpuUsage(cpu)
  const ascending = (a: number, b: number): number => a - b
  return {
    kind: 'latency',
    startMs: startMs.sort(ascending),
    ackMs: ackMs.sort(ascending),
    cpuUs: user + system,
  }
}
