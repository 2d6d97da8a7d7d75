// The adapter through which a benchmark of several task queues drives tq: its broker as built, and
// its SDK as any program uses it.

import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { OpaqueBytes, TqClient, TqWorker } from '@tq/client'

const BROKER = fileURLToPath(new URL('../../broker/dist/main.js', import.meta.url))
const QUEUE = 'bench'
const TYPE = 'noop'
const PRIORITY_MAX = 255
/** How long the first claim after a restart may be parked, in ms. */
const FIRST_CLAIM_MS = 2_000

const SYNCED = 'every commit synced to disk before its replies leave (group commit)'

export const variants = {
  tq: { promise: `${SYNCED}; completed tasks not kept`, keepsCompleted: false },
  'tq-defaults': { promise: `${SYNCED}; results and history kept 24 h`, keepsCompleted: true },
}

export const caps = {
  priority: true,
  batch: 'enqueueMany(500), 2 in flight',
  batchSize: 500,
  inflight: 2,
  million: true,
}

export async function start(variant) {
  const { freshDir, killTree, launch, waitPort } = globalThis.bench
  const dir = freshDir('tq')
  const port = await freePort()
  const argv = [BROKER, `--data-dir=${dir}`, `--port=${port}`, '--http-port=0']
  const server = {
    dir,
    env: { port, keepsCompleted: variant.keepsCompleted },
    async up() {
      server.proc = launch(process.execPath, argv, { dir })
      server.roots = [server.proc.pid]
      await waitPort(port, 120_000)
    },
    kill: () => killTree(server.proc),
  }
  await server.up()
  return server
}

export async function setup(env) {
  if (env.keepsCompleted) return
  await withClient(env, (client) => client.queueSet(QUEUE, { retentionCount: 0 }))
}

export async function producer(env) {
  const client = clientOf(env)
  await client.ping()
  return {
    single: (fields, level) =>
      client.enqueue(
        QUEUE,
        TYPE,
        payloadOf(fields),
        level === undefined ? undefined : urgency(level),
      ),
    batch: (tasks, levels) =>
      client.enqueueMany(
        QUEUE,
        tasks.map((fields, at) => {
          const task = { type: TYPE, payload: payloadOf(fields) }
          return levels === undefined ? task : { ...task, options: urgency(levels[at]) }
        }),
      ),
    close: () => client.close(),
  }
}

export function worker(env, { C, onTask, onAcked }) {
  const tqWorker = new TqWorker({
    address: addressOf(env),
    queues: [QUEUE],
    concurrency: C,
    onEvent: (event) => {
      if (event.kind === 'task-completed') onAcked(1)
      // The task comes again, and the benchmark counts it as a duplicate; here stands why.
      if (event.kind === 'report-refused') process.stderr.write(`tq: ${event.error.message}\n`)
    },
  })
  tqWorker.handle(TYPE, (task) => onTask(task.payloadBytes))
  return { start: () => tqWorker.start(), stop: () => tqWorker.stop() }
}

/** Tasks that have not ended. */
export function depth(env) {
  return withClient(env, async (client) => {
    const [queue] = (await client.stats(QUEUE)).queues
    if (queue === undefined) return 0 // nobody has named it yet
    return queue.scheduled + queue.queued + queue.assigned + queue.running + queue.retrying
  })
}

export function firstClaim(env) {
  return withClient(env, async (client) => {
    const { tasks } = await client.claim(QUEUE, { waitMs: FIRST_CLAIM_MS })
    if (tasks.length === 0) throw new Error('no task could be claimed')
  })
}

async function withClient(env, use) {
  const client = clientOf(env)
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

function clientOf(env) {
  return new TqClient({ address: addressOf(env) })
}

function addressOf({ port }) {
  return `127.0.0.1:${port}`
}

/** The same bytes as all peers get, as a user of another encoding would send them. */
function payloadOf(fields) {
  return new OpaqueBytes(globalThis.bench.fieldsToBuf(fields))
}

/** Of the benchmark's ten levels 0 is the most urgent, of tq's 256 priorities 255. */
function urgency(level) {
  return { priority: PRIORITY_MAX - level }
}

async function freePort() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
