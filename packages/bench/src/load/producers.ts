// Closed loops of producers: each stream sends its next request when the one before was answered.

import { setTimeout as pause } from 'node:timers/promises'
import { TqClient } from '@tq/client'
import { type Latency, LatencyHistogram } from '../figure/latency-histogram.ts'
import type { Done, LoadOrder, Streams } from './load-message.ts'
import { monotonicUs } from './monotonic.ts'
import { addressOf, queueOf, type Target } from './target.ts'
import { TaskMaker } from './task-maker.ts'

/** How often a load that is held back looks whether there is room again, in ms. */
const ROOM_LOOK_MS = 25
/** Largest part of a batch in payload bytes: two streams a connection stay below the SDK's buffer. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024
/** Connections that are opened at a time; more would only wait in the broker's backlog. */
const CONNECTING_MAX = 64

/** How many of the tasks that are left the next request takes; 0 ends the stream. */
type Take = (wanted: number) => number | Promise<number>

export class Producers {
  readonly #target: Target
  readonly #acks = new LatencyHistogram()
  /** Since the last sample. */
  readonly #sampled = new LatencyHistogram()
  #clients: Promise<readonly TqClient[]> | undefined
  #requests = 0

  constructor(target: Target) {
    this.#target = target
  }

  /** The connections of the target, opened when they are first asked for. */
  clients(): Promise<readonly TqClient[]> {
    this.#clients ??= connect(this.#target)
    return this.#clients
  }

  async enqueue(order: Extract<LoadOrder, { kind: 'enqueue' }>): Promise<Done> {
    let left = order.tasks
    return this.#run(order, (wanted) => {
      const taken = Math.min(wanted, left)
      left -= taken
      return taken
    })
  }

  async stream(order: Extract<LoadOrder, { kind: 'stream' }>): Promise<Done> {
    const clients = await this.clients()
    const room = new Room(clients[0], order.waitingMax)
    const endUs = monotonicUs() + order.seconds * 1_000_000
    const isOver = (): boolean => monotonicUs() >= endUs
    const looking = room.lookUntil(isOver)
    const done = await this.#run(order, async (wanted) => {
      while (room.isShort && !isOver()) await pause(ROOM_LOOK_MS)
      return isOver() ? 0 : wanted
    })
    await looking
    return done
  }

  sample(): Latency {
    const sample = this.#sampled.summary()
    this.#sampled.reset()
    return sample
  }

  async close(): Promise<void> {
    const clients = await this.#clients
    await Promise.all((clients ?? []).map((client) => client.close()))
  }

  async #run(order: Extract<LoadOrder, { kind: 'enqueue' | 'stream' }>, take: Take): Promise<Done> {
    const clients = await this.clients()
    const { shape, streams } = order
    const fitting = Math.max(1, Math.floor(BATCH_BYTES_MAX / Math.max(1, shape.payloadBytes)))
    const narrowed = { ...streams, batch: Math.min(streams.batch, fitting) }
    const maker = new TaskMaker(shape)
    this.#acks.reset()
    const fromUs = monotonicUs()
    const counts = await Promise.all(
      clients.flatMap((client) =>
        Array.from({ length: streams.outstanding }, () =>
          this.#stream(client, { maker, take, streams: narrowed }),
        ),
      ),
    )
    return {
      tasks: counts.reduce((sum, count) => sum + count, 0),
      fromUs,
      toUs: monotonicUs(),
      ack: this.#acks.summary(),
    }
  }

  async #stream(
    client: TqClient,
    { maker, take, streams }: { maker: TaskMaker; take: Take; streams: Streams },
  ): Promise<number> {
    let sent = 0
    for (;;) {
      const taken = take(streams.batch)
      // Only what is not known yet is awaited: a single call has no turn to give away.
      const count = typeof taken === 'number' ? taken : await taken
      if (count === 0) return sent
      const sinceUs = monotonicUs()
      await this.#send(client, { maker, streams, count })
      const latencyUs = monotonicUs() - sinceUs
      this.#acks.recordUs(latencyUs)
      this.#sampled.recordUs(latencyUs)
      sent += count
    }
  }

  async #send(
    client: TqClient,
    { maker, streams, count }: { maker: TaskMaker; streams: Streams; count: number },
  ): Promise<void> {
    const queue = queueOf(this.#target, this.#requests)
    this.#requests += 1
    if (streams.batch > 1) {
      await client.enqueueMany(
        queue,
        Array.from({ length: count }, () => maker.next()),
      )
      return
    }
    const { type, payload, options } = maker.next()
    // An option of the call keeps the SDK from gathering it with others.
    await client.enqueue(queue, type, payload, streams.isAlone ? { ...options, call: {} } : options)
  }
}

/** Looks now and then how many tasks wait, so that producers do not run away from the workers. */
class Room {
  readonly #client: TqClient | undefined
  readonly #waitingMax: number
  isShort = false

  constructor(client: TqClient | undefined, waitingMax: number) {
    this.#client = client
    this.#waitingMax = waitingMax
  }

  async lookUntil(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const stats = await this.#client?.stats()
      const waiting = stats?.queues.reduce((sum, queue) => sum + queue.queued, 0) ?? 0
      this.isShort = waiting > this.#waitingMax
      await pause(ROOM_LOOK_MS)
    }
  }
}

async function connect(target: Target): Promise<readonly TqClient[]> {
  const clients: TqClient[] = []
  while (clients.length < target.connections) {
    const some = Array.from(
      { length: Math.min(CONNECTING_MAX, target.connections - clients.length) },
      () => new TqClient({ address: addressOf(target), name: 'bench' }),
    )
    await Promise.all(some.map((client) => client.ping()))
    clients.push(...some)
  }
  return clients
}
