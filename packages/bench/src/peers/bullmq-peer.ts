// BullMQ: task queues in Redis, by scripts that run in the server.

import { Queue, Worker } from 'bullmq'
import { packageVersion } from './package-version.ts'
import {
  INSTALL_PEERS,
  type Peer,
  type PeerProducer,
  type PeerWorker,
  type WorkerShift,
} from './peer.ts'
import { PHASE_NAMES } from './phase-name.ts'
import { outputOf } from './program-output.ts'
import { ServerProcess } from './server-process.ts'
import type { TaskBody } from './task-body.ts'

const COMMAND = 'redis-server'
const QUEUE = 'bench'
const TYPE = 'noop'
/** Nothing is kept of a job that has ended, as with all peers here. */
const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true } as const

/** What is asked of Redis in one turn of its loop shares a sync. */
export const bullmqAlways: Peer = peerOf('bullmq-always', {
  durability: 'append-only file synced before the answers of a turn (appendfsync always)',
  appendfsync: 'always',
})

export const bullmqEverySecond: Peer = peerOf('bullmq-everysec', {
  durability: 'append-only file written before the answer, synced once a second (everysec)',
  appendfsync: 'everysec',
})

function peerOf(
  name: string,
  how: { readonly durability: string; readonly appendfsync: string },
): Peer {
  return {
    name,
    durability: how.durability,
    batching: 'addBulk',
    phases: PHASE_NAMES,
    install: INSTALL_PEERS,
    client: `${packageVersion('bullmq')}, ${packageVersion('ioredis')}`,
    version: () => /v=(\S+)/.exec(outputOf(COMMAND, ['--version']) ?? '')?.[1],
    start: () =>
      ServerProcess.start({
        command: COMMAND,
        argv: ({ directory, port }) => [
          ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
          ...['--appendonly', 'yes', '--appendfsync', how.appendfsync, '--save', ''],
          ...['--maxmemory-policy', 'noeviction'],
        ],
      }),
    prepare: () => Promise.resolve(), // a queue is there as soon as it is named
    connectProducer,
    connectWorker,
    countLeft,
  }
}

async function connectProducer(port: number): Promise<PeerProducer> {
  const queue = await openQueue(port)
  return {
    one: async (task) => void (await queue.add(TYPE, task, JOB_OPTIONS)),
    many: async (tasks) => {
      await queue.addBulk(tasks.map((data) => ({ name: TYPE, data, opts: JOB_OPTIONS })))
    },
    close: () => queue.close(),
  }
}

async function connectWorker(port: number, shift: WorkerShift): Promise<PeerWorker> {
  const handle = (job: { readonly data: TaskBody }): Promise<void> => {
    return Promise.resolve(shift.onTask(Number(job.data.number)))
  }
  const worker = new Worker<TaskBody>(QUEUE, handle, {
    connection: connectionOf(port),
    concurrency: shift.slots,
    autorun: false,
  })
  let isClosing = false
  const onError = (error: Error): void => {
    if (!isClosing) shift.onError(error)
  }
  worker.on('completed', shift.onEnd)
  worker.on('failed', (_job, error) => onError(error))
  worker.on('error', onError)
  await worker.waitUntilReady()
  return {
    begin: () => Promise.resolve(void worker.run().catch(onError)),
    close: () => {
      isClosing = true
      return worker.close()
    },
  }
}

async function countLeft(port: number): Promise<number> {
  const queue = await openQueue(port)
  const states = ['waiting', 'active', 'prioritized', 'delayed', 'failed'] as const
  const counts = await queue.getJobCounts(...states)
  await queue.close()
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

async function openQueue(port: number): Promise<Queue> {
  const queue = new Queue(QUEUE, { connection: connectionOf(port) })
  queue.on('error', () => {}) // each call that fails says so itself
  await queue.waitUntilReady()
  return queue
}

function connectionOf(port: number): {
  readonly host: string
  readonly port: number
  readonly maxRetriesPerRequest: null
} {
  return { host: '127.0.0.1', port, maxRetriesPerRequest: null }
}
