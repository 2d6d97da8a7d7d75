// Those who come, do something, and leave or vanish: each second a few, as long as the soak lasts.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { OpaqueBytes, TqClient } from '@tq/client'
import { encodeRequestFrame } from '@tq/core'
import { GUEST_QUEUE, SOAK_QUEUES } from './arrivals.ts'
import { startWorker } from './staff.ts'
import type { Tally } from './tally.ts'

const EVERY_MS = 1_000
/** A short-lived worker comes at each so many-th turn, and stays this long. */
const WORKER_TURNS = 5
const WORKER_STAY_MS = 3_000
/** Names of queues that nobody has used before, at each turn. */
const NEW_QUEUES = 5
const PAYLOAD = new OpaqueBytes(new Uint8Array(1_024))

export class Visitors {
  readonly #port: number
  readonly #tally: Tally
  readonly #here = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #turns = 0

  constructor(port: number, tally: Tally) {
    this.#port = port
    this.#tally = tally
  }

  run(): void {
    this.pause()
    this.#timer = setInterval(() => this.#turn(), EVERY_MS)
  }

  pause(): void {
    clearInterval(this.#timer)
  }

  /** Resolves when the last one has left. */
  async close(): Promise<void> {
    this.pause()
    await Promise.all(this.#here)
  }

  #turn(): void {
    this.#turns += 1
    this.#receive((client) => this.#guest(client))
    this.#receive(() => this.#vanish())
    this.#receive((client) => this.#nameNewQueues(client))
    if (this.#turns % WORKER_TURNS === 0) this.#receive(() => this.#dayWorker())
    if (this.#turns % WORKER_TURNS === 1) this.#receive((client) => this.#deserter(client))
  }

  #receive(visit: (client: TqClient) => Promise<void>): void {
    const stay = this.#host(visit).finally(() => {
      this.#tally.visits += 1
      this.#here.delete(stay)
    })
    this.#here.add(stay)
  }

  /** Whatever goes wrong, a visitor leaves with its connection. */
  async #host(visit: (client: TqClient) => Promise<void>): Promise<void> {
    const client = this.#client()
    try {
      await visit(client)
    } catch (error) {
      this.#tally.refused(error)
    } finally {
      await client.close({ deadlineMs: 0 })
    }
  }

  /** Greets, enqueues, looks around, and says goodbye. */
  async #guest(client: TqClient): Promise<void> {
    const task = await client.enqueue(GUEST_QUEUE, 'noop', PAYLOAD, {
      delayMs: 100,
      ttlMs: 5_000,
    })
    await client.get(task.id)
    const { tasks } = await client.claim(GUEST_QUEUE, { max: 2, waitMs: 500 })
    if (tasks.length > 0) await client.complete(tasks)
    await client.close()
  }

  /** Breaks off in the middle of a request. */
  async #vanish(): Promise<void> {
    const socket = createConnection({ host: '127.0.0.1', port: this.#port })
    await once(socket, 'connect')
    const client = { name: 'soak-vanishing', version: '1' }
    const session = new Uint8Array(randomBytes(16))
    socket.write(encodeRequestFrame(1, { verb: 'hello', protocol: 1, client, session }))
    await once(socket, 'data')
    const claim = { max: 1, waitMs: 30_000, start: true, order: 'round', claim: 1 } as const
    socket.write(encodeRequestFrame(2, { verb: 'claim', queues: ['nobody-works'], ...claim }))
    const frame = encodeRequestFrame(3, { verb: 'workers' })
    socket.write(frame.subarray(0, frame.length - 1))
    const gone = once(socket, 'close')
    socket.destroy()
    await gone
  }

  /** A broker keeps a bounded number of queues; new names beyond are refused. */
  async #nameNewQueues(client: TqClient): Promise<void> {
    for (let name = 0; name < NEW_QUEUES; name += 1) {
      const queue = `passing-${randomBytes(8).toString('hex')}`
      await client
        .enqueue(queue, 'noop', PAYLOAD, { ttlMs: 1_000, call: { timeoutMs: 5_000 } })
        .catch((error: unknown) => this.#tally.refused(error))
    }
    await client.close()
  }

  /** Registers, works for a while, and leaves. */
  async #dayWorker(): Promise<void> {
    const worker = await startWorker(this.#port, this.#tally, 4)
    await pause(WORKER_STAY_MS)
    await worker.stop()
  }

  /** Takes tasks and is never heard of again: they are lost and offered anew. */
  async #deserter(client: TqClient): Promise<void> {
    await client.register({ name: 'soak-deserter', slots: 2 })
    await client.claim(SOAK_QUEUES, { max: 2 })
  }

  #client(): TqClient {
    return new TqClient({
      address: `127.0.0.1:${this.#port}`,
      name: 'soak-visitor',
      retryRefusals: false,
    })
  }
}
