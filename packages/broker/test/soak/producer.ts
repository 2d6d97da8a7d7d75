// Enqueues at its pace, and calls off what is to be called off.

import { TqClient } from '@tq/client'
import { type Arrival, Arrivals, TASKS_PER_ARRIVAL } from './arrivals.ts'
import type { Pace } from './load-message.ts'
import type { Tally } from './tally.ts'

/** How often it looks at the clock, in ms. */
const TURN_MS = 5
/** Connections that the requests are spread over. */
const CLIENTS = 3

export class Producer {
  readonly #clients: readonly TqClient[]
  readonly #arrivals: Arrivals
  readonly #tally: Tally
  #timer: NodeJS.Timeout | undefined
  #outstanding = 0
  #turn = 0

  constructor(port: number, seed: number, tally: Tally) {
    const address = `127.0.0.1:${port}`
    this.#clients = Array.from(
      { length: CLIENTS },
      () => new TqClient({ address, name: 'soak-producer', retryRefusals: false }),
    )
    this.#arrivals = new Arrivals(seed)
    this.#tally = tally
  }

  run(pace: Pace): void {
    this.pause()
    const due = pace.kind === 'open' ? this.#byClock(pace.tasksPerSecond) : this.#byRoom(pace)
    this.#timer = setInterval(due, TURN_MS)
  }

  pause(): void {
    clearInterval(this.#timer)
  }

  async close(): Promise<void> {
    this.pause()
    await Promise.all(this.#clients.map((client) => client.close()))
  }

  /** Each arrival has its moment; what comes late for whatever reason is measured from there. */
  #byClock(tasksPerSecond: number): () => void {
    const gapMs = (TASKS_PER_ARRIVAL / tasksPerSecond) * 1_000
    let nextAtMs = performance.now()
    return () => {
      const nowMs = performance.now()
      for (; nextAtMs <= nowMs; nextAtMs += gapMs) void this.#send(nextAtMs)
    }
  }

  #byRoom(pace: Extract<Pace, { kind: 'closed' }>): () => void {
    const tally = this.#tally
    const liveBefore = tally.enqueued - tally.completed
    const fill = (): void => {
      const isFull = (): boolean => tally.enqueued - tally.completed - liveBefore > pace.liveMax
      while (this.#outstanding < pace.outstanding && !isFull()) {
        void this.#send(performance.now()).then(fill)
      }
    }
    return fill
  }

  async #send(dueAtMs: number): Promise<void> {
    const client = this.#clients[this.#turn++ % CLIENTS] as TqClient
    const arrival = this.#arrivals.next(performance.now())
    this.#outstanding += 1
    try {
      const ids = await enqueue(client, arrival)
      this.#tally.enqueued += arrival.tasks.length
      this.#tally.answered(performance.now() - dueAtMs)
      if (arrival.isCancelled) await this.#cancel(client, ids)
    } catch (error) {
      this.#tally.refused(error)
    } finally {
      this.#outstanding -= 1
    }
  }

  async #cancel(client: TqClient, ids: readonly string[]): Promise<void> {
    await client.cancel(ids, { reason: 'called off' })
    this.#tally.cancelled += ids.length
  }
}

async function enqueue(client: TqClient, arrival: Arrival): Promise<readonly string[]> {
  const [first] = arrival.tasks
  if (arrival.tasks.length > 1 || first === undefined) {
    const handles = await client.enqueueMany(arrival.queue, arrival.tasks)
    return handles.map(({ id }) => id)
  }
  // With options of its own a call is not gathered with others: it stays a request of one task.
  const options = { ...first.options, call: { timeoutMs: 30_000 } }
  const handle = await client.enqueue(arrival.queue, first.type, first.payload, options)
  return [handle.id]
}
