// More than fits: requests beyond the limit in flight, answers that nobody reads, large payloads from all sides.

import { encodeRequestFrame, type ReplyOf } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { aQueueName, aTask } from './task-spec.ts'
import { sharedBroker } from './test-broker.ts'
import { heldOf } from './wire-client.ts'

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
    const queue = aQueueName()
    const other = await broker.wire()
    const payload = 'x'.repeat(500_000)
    const [id] = await other.enqueue(queue, [aTask(queue, { payload })])
    const wire = await broker.wire()
    wire.pause()

    // More than buffers of the system and of the broker hold together.
    for (let count = 0; count < 40; count += 1) {
      void wire.ask<'get'>({ verb: 'get', id: id!, payload: true }).catch(() => undefined)
    }

    await eventually(async () => {
      expect((await other.ask<'stats'>({ verb: 'stats' })).broker.connections).toBe(1)
    })
  })

  it('is disconnected in time as well when a request of it is half sent', async () => {
    const queue = aQueueName()
    const other = await broker.wire()
    const payload = 'x'.repeat(100_000)
    const [id] = await other.enqueue(queue, [aTask(queue, { payload })])
    const wire = await broker.wire()
    wire.pause()
    const get = { verb: 'get', id: id!, payload: true } as const

    // One at a time, as long as they are answered: the broker never holds more than it wants to.
    void (async () => {
      for (let number = 1; !wire.isClosed; number += 1) {
        const frame = encodeRequestFrame(1_000 + number, get)
        const rest = encodeRequestFrame(1_000_000 + number, get).subarray(0, 8)
        wire.write(Buffer.concat([frame, rest]))
        await other.ask({ verb: 'ping' })
        wire.write(encodeRequestFrame(1_000_000 + number, get).subarray(8))
        if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })().catch(() => undefined)

    await eventually(async () => {
      expect((await other.ask<'stats'>({ verb: 'stats' })).broker.connections).toBe(1)
    }, { deadlineMs: 8_000 })
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

  it('can be asked for many at once by a client that reads them', async () => {
    const queue = aQueueName()
    const wire = await broker.wire()
    const payload = 'x'.repeat(1_000_000)
    const ids = await wire.enqueue(queue, [1, 2, 3].map(() => aTask(queue, { payload })))

    const answers = Array.from({ length: 60 }, (_, at) =>
      wire.ask<'get'>({ verb: 'get', id: ids[at % 3]!, payload: true }),
    )

    for (const { payloadBytes } of await Promise.all(answers)) expect(payloadBytes).toBe(1_000_005)
  })
})
