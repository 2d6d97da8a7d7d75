// A worker and a producer of the built SDK in a process of their own; each line tells what happened when.

import { TqClient, TqWorker } from '../../../client/dist/index.js'

const [address, queue, leaseMs] = process.argv.slice(2)
const token = process.env.TQ_TOKEN
const PRODUCE_EVERY_MS = 100

/** The monotonic clock of the machine, which all of its processes share. */
function say(event, fields = {}) {
  const atMs = Number(process.hrtime.bigint() / 1_000n) / 1_000
  process.stdout.write(`${JSON.stringify({ event, atMs, ...fields })}\n`)
}

const options = {
  address,
  token,
  connectTimeoutMs: 1_000,
  reconnect: { baseMs: 20, capMs: 200 },
}

const worker = new TqWorker({
  ...options,
  queues: [queue, `${queue}-own`],
  name: 'outpost',
  leaseMs: Number(leaseMs),
  waitMs: 1_000,
})
worker.handle('*', async (task, { taskId, signal }) => {
  const { isLong } = task.payload
  say(isLong ? 'begun' : 'own', { task: taskId })
  while (isLong && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5))
  if (signal.aborted) say('stopped', { task: taskId })
  signal.throwIfAborted()
})
await worker.start()

const client = new TqClient({ ...options, requestTimeoutMs: 120_000 })
const produced = []
const timer = setInterval(() => {
  produced.push(client.enqueue(`${queue}-produced`, 'work', { number: produced.length }))
}, PRODUCE_EVERY_MS)
say('ready')

process.once('SIGTERM', () => void leave())

async function leave() {
  clearInterval(timer)
  const handles = await Promise.all(produced)
  say('produced', { ids: handles.map(({ id }) => id) })
  await worker.stop({ deadlineMs: 0, graceMs: 0 })
  await client.close({ deadlineMs: 0 })
}
