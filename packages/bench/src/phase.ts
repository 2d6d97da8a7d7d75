// The phases of the bench: what is measured, against a broker that syncs before every answer.

import { TqClient } from '@tq/client'
import type { BrokerProcess } from './broker-process.ts'
import type { LoadChild } from './load/load-child.ts'

export interface PhaseInput {
  readonly broker: BrokerProcess
  readonly producer: LoadChild
  readonly worker: LoadChild
  readonly tasks: number
  readonly payloadBytes: number
}

/** One line of the result: what was measured, with its unit in the name. */
export interface Figure {
  readonly phase: string
  readonly tasks: number
  readonly figures: Readonly<Record<string, number>>
}

export type Phase = (input: PhaseInput) => Promise<Figure[]>

export const QUEUE = 'bench'
const CONNECTIONS = 4
const BATCH = 500
const BATCHES_OUTSTANDING = 2
const SINGLES_OUTSTANDING = 64
const CONCURRENCY = 64
const LATENCY_ROUNDS = 2_000

export const PHASES: Readonly<Record<string, Phase>> = {
  enqueue: async (input) => [
    await enqueue(input, 'enqueue-batch', { batch: BATCH, outstanding: BATCHES_OUTSTANDING }),
    await enqueue(input, 'enqueue-single', { batch: 1, outstanding: SINGLES_OUTSTANDING }),
  ],
  drain: async (input) => {
    await fill(input, input.tasks)
    const figure = await measured(input, 'drain', () =>
      input.worker.order({ kind: 'drain', tasks: input.tasks, concurrency: CONCURRENCY }, 'done'),
    )
    return [figure]
  },
  mixed: async (input) => {
    const figure = await measured(input, 'mixed', async () => {
      const drained = input.worker.order(
        { kind: 'drain', tasks: input.tasks, concurrency: CONCURRENCY },
        'done',
      )
      await fill(input, input.tasks)
      return drained
    })
    return [figure]
  },
  latency: async (input) => {
    const answer = await input.worker.order(
      { kind: 'latency', rounds: LATENCY_ROUNDS, payloadBytes: input.payloadBytes },
      'latency',
    )
    const { startMs, ackMs } = answer
    const figures = {
      startP50Ms: quantile(startMs, 0.5),
      startP99Ms: quantile(startMs, 0.99),
      ackP50Ms: quantile(ackMs, 0.5),
      ackP99Ms: quantile(ackMs, 0.99),
    }
    return [{ phase: 'latency', tasks: LATENCY_ROUNDS, figures }]
  },
  memory: async (input) => {
    const beforeBytes = input.broker.memoryBytes()
    await fill(input, input.tasks)
    const grownBytes = input.broker.memoryBytes() - beforeBytes
    const figures = {
      beforeMiB: beforeBytes / 2 ** 20,
      afterMiB: (beforeBytes + grownBytes) / 2 ** 20,
      bytesPerTask: grownBytes / input.tasks,
    }
    return [{ phase: 'memory', tasks: input.tasks, figures }]
  },
  recovery: async (input) => {
    await fill(input, input.tasks)
    await input.broker.kill('SIGKILL')
    const sinceMs = performance.now()
    const readyMs = await input.broker.start()
    const client = new TqClient({ address: `127.0.0.1:${input.broker.port}` })
    const { tasks: claimed } = await client.claim([QUEUE], { waitMs: 10_000 })
    const firstClaimMs = performance.now() - sinceMs
    await client.close()
    if (claimed.length === 0) throw new Error('no task could be claimed after the restart')
    const figures = { readyMs, firstClaimMs, afterMiB: input.broker.memoryBytes() / 2 ** 20 }
    return [{ phase: 'recovery', tasks: input.tasks, figures }]
  },
}

async function enqueue(
  input: PhaseInput,
  phase: string,
  how: { readonly batch: number; readonly outstanding: number },
): Promise<Figure> {
  const { tasks, payloadBytes } = input
  return measured(input, phase, () =>
    input.producer.order({ kind: 'enqueue', tasks, payloadBytes, ...how }, 'done'),
  )
}

async function fill(input: PhaseInput, tasks: number): Promise<void> {
  const { payloadBytes } = input
  const how = { batch: BATCH, outstanding: BATCHES_OUTSTANDING }
  await input.producer.order({ kind: 'enqueue', tasks, payloadBytes, ...how }, 'done')
}

/** Runs a load and tells its rate, and the CPU that the broker and the client took for a task. */
async function measured(
  input: PhaseInput,
  phase: string,
  load: () => Promise<{ readonly seconds: number; readonly cpuUs: number }>,
): Promise<Figure> {
  const cpuUs = input.broker.cpuUs()
  const sinceMs = performance.now()
  const done = await load()
  const seconds = (performance.now() - sinceMs) / 1_000
  const figures = {
    tasksPerSecond: input.tasks / seconds,
    brokerUsPerTask: (input.broker.cpuUs() - cpuUs) / input.tasks,
    clientUsPerTask: done.cpuUs / input.tasks,
  }
  return { phase, tasks: input.tasks, figures }
}

/** Connects the load processes to a new broker. */
export async function connectLoad(
  input: Pick<PhaseInput, 'broker' | 'producer' | 'worker'>,
): Promise<void> {
  const order = {
    kind: 'connect',
    port: input.broker.port,
    queue: QUEUE,
    connections: CONNECTIONS,
  } as const
  await input.producer.order(order, 'ready')
  await input.worker.order(order, 'ready')
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
