// More than fits: requests beyond the limit in flight, answers that nobody reads, large payloads from all sides.

import { encodeRequestFrame, formatTaskId, type ReplyOf, type RequestOf } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { aClient, aWorker } from './sdk.ts'
import { aQueueName, aTask } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { heldOf, type WireClient } from './wire-client.ts'

const IN_FLIGHT_MAX = 256
const OUTPUT_BYTES_MAX = 2 * 1024 * 1024
const WRITE_STALL_MS = 1_000

const broker = sharedBroker(
  `--limits-in-flight-max=${IN_FLIGHT_MAX}`,
  `--limits-output-bytes-max=${OUTPUT_BYTES_MAX}`,
  `--timeouts-write-stall-ms=${WRITE_STALL_MS}`,
  `--timeouts-frame-ms=${WRITE_STALL_MS}`,
)

describe('10,000 requests that are pipelined over one connection', () => {
  it('are all answered, and all carried out', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()

    const answers: Promise<ReplyOf<'enqueue'>>[] = []
    for (let count = 0; count < 10_000; count += 1) {
      const tasks = [aTask(queue)]
      answers.push(wire.ask<'enqueue'>({ verb: 'enqueue', queue, tasks, fresh: true }))
    }

    for (const answer of await Promise.all(answers)) expect(answer).toEqual({ count: 1 })
    expect(await wire.stats(queue)).toMatchObject({ queued: 10_000 })
  })

  it('are taken 256 at a time; the rest waits on the way and is not lost', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const producer = await broker.wire()
    await producer.ask({ verb: 'queue-set', queue, settings: {} })
    const claims = Array.from({ length: 300 }, () => wire.claim(queue, { waitMs: 30_000 }))
    const last = wire.ask<'ping'>({ verb: 'ping' })
    let isLastAnswered = false
    void last.then(() => (isLastAnswered = true))
    await eventually(async () => {
      expect((await producer.stats(queue)).waitingClaims).toBe(IN_FLIGHT_MAX)
    })
    expect(isLastAnswered).toBe(false)

    const ids = await producer.enqueue(queue, 300)

    const got = (await Promise.all(claims)).map(({ tasks }) => heldOf(tasks[0]).id)
    expect(got).toEqual(ids)
    await last
  })
})

describe('a client that does not read its answers', () => {
  it('is disconnected, while others are served', async () => {
    const { wire, other, get } = await aDeafClient()

    const answered = askUntilClosed(wire, () => wire.write(encodeRequestFrame(nextId(), get)))

    await Promise.all([wire.closed, answered])
    expect((await other.ask<'stats'>({ verb: 'stats' })).broker.connections).toBe(1)
  })

  it('is disconnected as well when a request of it is always half sent', async () => {
    const { wire, other, get } = await aDeafClient()
    let rest: Uint8Array = new Uint8Array(0)

    const answered = askUntilClosed(wire, () => {
      const frame = encodeRequestFrame(nextId(), get)
      wire.write(Buffer.concat([rest, frame.subarray(0, 8)]))
      rest = frame.subarray(8)
    })

    await Promise.all([wire.closed, answered])
    expect((await other.ask<'stats'>({ verb: 'stats' })).broker.connections).toBe(1)
  })

  it('gets everything if it only pauses for a while', async () => {
    const queue = aQueueName()
    const other = await broker.wire()
    const payload = 'x'.repeat(5_000)
    const [id] = await other.enqueue(queue, [aTask(queue, { payload })])
    const wire = await broker.wire()
    wire.pause()
    const answers = Array.from({ length: 500 }, () =>
      wire.ask<'get'>({ verb: 'get', id: id!, payload: true }),
    )
    await other.ask({ verb: 'ping' })

    wire.resume()

    for (const { payload: bytes } of await Promise.all(answers)) expect(bytes).toHaveLength(5_003)
  })
})

describe('large payloads', () => {
  it('from many connections at once are all stored: nobody is forgotten while a commit is full', async () => {
    const queue = aQueueName()
    const wires = await Promise.all(Array.from({ length: 12 }, () => broker.wire()))
    const payload = 'x'.repeat(150_000)

    const rounds = wires.map(async (wire) => {
      for (let round = 0; round < 3; round += 1) {
        const asks = Array.from({ length: 10 }, () => {
          const tasks = [aTask(queue, { payload })]
          return wire.ask<'enqueue'>({ verb: 'enqueue', queue, tasks, fresh: true })
        })
        await Promise.all(asks)
      }
    })

    await Promise.all(rounds)
    expect(await wires[0]!.stats(queue)).toMatchObject({ queued: 360 })
  })

  it('come as many at a time as an answer may hold, and at least one', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const payload = 'x'.repeat(700_000)
    await wire.enqueue(
      queue,
      [1, 2, 3].map(() => aTask(queue, { payload })),
    )
    await wire.enqueue(
      queue,
      [4, 5].map(() => aTask(queue, { payload })),
    )

    const counts = []
    for (let claims = 0; claims < 3; claims += 1) {
      counts.push((await wire.claim(queue, { max: 1_000 })).tasks.length)
    }

    expect(counts).toEqual([2, 2, 1])
  })

  it('all come, though far more are asked for at once than may wait to be read', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const client = aClient(broker)
    const payload = 'x'.repeat(1_000_000)
    const tasks = [1, 2, 3].map(() => aTask(queue, { payload }))
    const ids = (await wire.enqueue(queue, tasks)).map(formatTaskId)

    const asks = Array.from({ length: 60 }, (_, at) => client.get(ids[at % 3]!, { payload: true }))

    for (const { payload: bytes } of await Promise.all(asks)) expect(bytes).toHaveLength(1_000_005)
  })

  it('and large results reach those who wait for them, though many tasks end at once', async () => {
    const queue = aQueueName()
    const client = aClient(broker)
    const worker = aWorker(broker, { queues: [queue], concurrency: 100 })
    worker.handle('*', () => 'x'.repeat(200_000))
    const tasks = Array.from({ length: 100 }, () => ({ type: 'render', payload: 1 }))
    const handles = await client.enqueueMany(queue, tasks)
    const results = handles.map((handle) => handle.result({ timeoutMs: 20_000 }))

    await worker.start()

    for (const result of await Promise.all(results)) expect(result).toHaveLength(200_000)
    expect(client.isConnected).toBe(true)
  })
})

let lastId = 1_000_000

function nextId(): number {
  lastId += 1
  return lastId
}

/** A client that reads nothing, a request whose answer is large, and somebody else. */
async function aDeafClient(): Promise<{
  readonly wire: WireClient
  readonly other: WireClient
  readonly get: RequestOf<'get'>
}> {
  const queue = aQueueName()
  const other = await broker.wire()
  const [id] = await other.enqueue(queue, [aTask(queue, { payload: 'x'.repeat(100_000) })])
  const wire = await broker.wire()
  await eventually(async () => {
    expect((await other.ask<'stats'>({ verb: 'stats' })).broker.connections).toBe(2)
  })
  wire.pause()
  return { wire, other, get: { verb: 'get', id: id!, payload: true } }
}

/** Goes on asking, slowly enough for every answer to be made before the next request. */
async function askUntilClosed(wire: WireClient, ask: () => void): Promise<void> {
  while (!wire.isClosed) {
    ask()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
