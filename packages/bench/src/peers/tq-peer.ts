// tq itself: the broker as built, through its SDK as any program uses it.

import { fileURLToPath } from 'node:url'
import { CLIENT_VERSION, OpaqueBytes, TqClient, TqWorker } from '@tq/client'
import type { Peer, PeerProducer, PeerWorker, WorkerShift } from './peer.ts'
import { PHASE_NAMES } from './phase-name.ts'
import { outputOf } from './program-output.ts'
import { ServerProcess } from './server-process.ts'
import { bytesOfBody, numberInBytes, type TaskBody } from './task-body.ts'

const BROKER = fileURLToPath(new URL('../../../broker/dist/main.js', import.meta.url))
const QUEUE = 'bench'
const TYPE = 'noop'
const SYNCED = 'commit synced before its answers leave (group commit)'

/** Nothing is kept of a task that has completed, as with all peers here. */
export const tq: Peer = peerOf('tq', {
  durability: `${SYNCED}; completed tasks not kept`,
  prepare: (port) =>
    withClient(port, async (client) => void (await client.queueSet(QUEUE, { retentionCount: 0 }))),
})

export const tqDefaults: Peer = peerOf('tq-defaults', {
  durability: `${SYNCED}; results and history kept 24 h`,
  prepare: () => Promise.resolve(),
})

function peerOf(name: string, how: Pick<Peer, 'durability' | 'prepare'>): Peer {
  return {
    name,
    ...how,
    batching: 'enqueueMany',
    phases: PHASE_NAMES,
    install: 'make build',
    client: `@tq/client ${CLIENT_VERSION}`,
    version: () => outputOf(process.execPath, [BROKER, '--version']),
    start: () =>
      ServerProcess.start({
        command: process.execPath,
        argv: ({ directory, port, morePorts }) => [
          ...[BROKER, `--data-dir=${directory}/data`],
          ...[`--port=${port}`, `--http-port=${morePorts[0]}`],
        ],
      }),
    connectProducer,
    connectWorker,
    countLeft,
  }
}

async function connectProducer(port: number): Promise<PeerProducer> {
  const client = new TqClient({ address: addressOf(port) })
  await client.ping()
  return {
    one: async (task) => void (await client.enqueue(QUEUE, TYPE, payloadOf(task))),
    many: async (tasks) => {
      const batch = tasks.map((task) => ({ type: TYPE, payload: payloadOf(task) }))
      await client.enqueueMany(QUEUE, batch)
    },
    close: () => client.close(),
  }
}

function connectWorker(port: number, shift: WorkerShift): Promise<PeerWorker> {
  const worker = new TqWorker({
    address: addressOf(port),
    queues: [QUEUE],
    concurrency: shift.slots,
    onEvent: (event) => {
      if (event.kind === 'task-completed') shift.onEnd()
      else if (event.kind === 'report-refused') shift.onError(event.error)
    },
  })
  worker.handle(TYPE, (task) => shift.onTask(numberInBytes(task.payloadBytes)))
  return Promise.resolve({
    begin: () => worker.start(),
    close: () => worker.stop(),
  })
}

function countLeft(port: number): Promise<number> {
  return withClient(port, async (client) => {
    const [queue] = (await client.stats(QUEUE)).queues
    if (queue === undefined) return 0 // nobody has named it yet
    return queue.scheduled + queue.queued + queue.assigned + queue.running + queue.retrying
  })
}

async function withClient<T>(port: number, use: (client: TqClient) => Promise<T>): Promise<T> {
  const client = new TqClient({ address: addressOf(port) })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

function addressOf(port: number): string {
  return `127.0.0.1:${port}`
}

/** Bytes as they are: the same as the others get. */
function payloadOf(task: TaskBody): OpaqueBytes {
  return new OpaqueBytes(bytesOfBody(task))
}
