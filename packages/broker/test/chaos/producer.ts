// A producer process: enqueues in every way the SDK has, and notes what it was promised.

import { type EnqueueOptions, TqClient } from '@tq/client'
import { SeededRandom } from '../simulation/seeded-random.ts'
import type { ClientRole } from './client-role.ts'
import { type HistoryWriter, nowMicros } from './history-writer.ts'
import { until, type Stopping } from './stopping.ts'

interface Order {
  readonly type: string
  readonly payload: unknown
  readonly options: Omit<EnqueueOptions, 'call'>
}

/** Types of work and how often each is ordered, in percent. */
const WORK: readonly (readonly [type: string, percent: number])[] = [
  ['quick', 82],
  ['slow', 10],
  ['flaky', 5],
  ['fatal', 1],
  ['late', 1],
  ['stubborn', 1],
]
/** Longer waits for an answer than this are given up: the outcome stays unknown. */
const CALL_MS = 8_000
const BATCH_MAX = 200
const FILLER_BYTES_MAX = 300
/** A producer holds back while more tasks than this wait, so that what is left can be drained. */
const QUEUED_MAX = 6_000
/** Keys are shared by all producers of about this time, so that they meet. */
const KEY_PERIOD_MS = 2_500
const KEYS_PER_PERIOD = 3

export async function produce(
  role: ClientRole,
  history: HistoryWriter,
  stopping: Stopping,
): Promise<void> {
  const client = new TqClient({ address: role.address, reconnect: { baseMs: 20, capMs: 200 } })
  const producer = new Producer(client, role, history)
  while (!stopping.isAsked) {
    const madeCount = await producer.step().catch(() => 0)
    await until(stopping, (madeCount * 1_000) / role.tasksPerSecond)
  }
  await client.close({ deadlineMs: 500 })
}

class Producer {
  readonly #client: TqClient
  readonly #role: ClientRole
  readonly #history: HistoryWriter
  readonly #random: SeededRandom
  #serial = 0

  constructor(client: TqClient, role: ClientRole, history: HistoryWriter) {
    this.#client = client
    this.#role = role
    this.#history = history
    this.#random = new SeededRandom(role.seed, role.name)
  }

  /** One request or a few; resolves to how many tasks they had. */
  async step(): Promise<number> {
    const random = this.#random
    const queue = random.pick(this.#role.queues)
    const dice = random.chance()
    if (dice < 0.03) return this.#holdBack(queue)
    if (dice < 0.1) return this.#keyed(queue)
    if (dice < 0.17) return this.#twice(queue)
    if (dice < 0.3) return this.#singles(queue)
    const orders = Array.from({ length: random.between(1, BATCH_MAX) }, () => this.#order())
    const handles = await this.#client.enqueueMany(queue, orders, { timeoutMs: CALL_MS })
    this.#acknowledged(handles)
    return orders.length
  }

  async #singles(queue: string): Promise<number> {
    const orders = Array.from({ length: this.#random.between(1, 12) }, () => this.#order())
    await Promise.allSettled(orders.map((order) => this.#enqueue(queue, order)))
    return orders.length
  }

  /** The same task under the same id, as a producer does that has crashed in between. */
  async #twice(queue: string): Promise<number> {
    const order = this.#order()
    const id = this.#client.newTaskId(queue)
    const same = { ...order, options: { ...order.options, id } }
    await Promise.allSettled([this.#enqueue(queue, same), this.#enqueue(queue, same)])
    return 1
  }

  /** Under a key that other producers use too, now and then for something else. */
  async #keyed(queue: string): Promise<number> {
    const period = Math.floor(nowMicros() / 1_000 / KEY_PERIOD_MS)
    const key = `key-${period}-${this.#random.between(1, KEYS_PER_PERIOD)}`
    const payload = { key, other: this.#random.happens(0.1) }
    const order = { type: 'quick', payload, options: { idempotencyKey: key } }
    await Promise.allSettled([this.#enqueue(queue, order), this.#enqueue(queue, order)])
    return 2
  }

  async #enqueue(queue: string, { type, payload, options }: Order): Promise<void> {
    const handle = await this.#client.enqueue(queue, type, payload, {
      ...options,
      call: { timeoutMs: CALL_MS },
    })
    this.#acknowledged([handle])
  }

  #acknowledged(handles: readonly { readonly id: string }[]): void {
    const ids = handles.map(({ id }) => id.replaceAll('-', ''))
    this.#history.note({ k: 'ack', t: nowMicros(), ids })
  }

  async #holdBack(queue: string): Promise<number> {
    const { queues } = await this.#client.stats(queue, { timeoutMs: CALL_MS })
    return (queues[0]?.queued ?? 0) > QUEUED_MAX ? this.#role.tasksPerSecond : 0
  }

  #order(): Order {
    const random = this.#random
    this.#serial += 1
    const type = this.#type()
    const filler = random.bytes(random.between(0, FILLER_BYTES_MAX))
    return {
      type,
      payload: { by: this.#role.name, serial: this.#serial, filler },
      options: {
        ...(random.happens(0.2) ? { priority: random.between(0, 255) } : {}),
        ...(random.happens(0.08) ? { delayMs: random.between(1, 800) } : {}),
        ...(random.happens(0.02) ? { ttlMs: random.between(50, 3_000) } : {}),
        ...(random.happens(0.08) ? { maxLost: random.between(1, 2) } : {}),
        ...(type === 'flaky' ? { maxAttempts: random.between(1, 3) } : {}),
        ...(type === 'late' ? { timeoutMs: 200, maxAttempts: 2 } : {}),
      },
    }
  }

  #type(): string {
    let left = this.#random.between(0, 99)
    for (const [type, percent] of WORK) {
      left -= percent
      if (left < 0) return type
    }
    return 'quick'
  }
}
