// The load process: producers, workers and visitors apart from the broker that they load.

import { type TqWorker } from '@tq/client'
import type { LoadAnswer, LoadOrder } from './load-message.ts'
import { Producer } from './producer.ts'
import { startWorker } from './staff.ts'
import { Tally } from './tally.ts'
import { Visitors } from './visitors.ts'

const WORKERS = 4
const WORKER_CONCURRENCY = 64

/** Does what the parent orders, until it orders the end or is gone. */
export function serveLoad(): void {
  const tally = new Tally()
  let load: Load | undefined
  process.on('message', (order: LoadOrder) => {
    carryOut(order).then(answer, (error: unknown) => {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
      answer({ kind: 'failed', message })
    })
  })
  process.once('disconnect', () => process.exit())

  async function carryOut(order: LoadOrder): Promise<LoadAnswer> {
    if (order.kind === 'connect') load = await Load.start(order.port, order.seed, tally)
    else if (order.kind === 'figures') return { kind: 'figures', figures: tally.figures() }
    else if (order.kind === 'run') load?.run(order)
    else if (order.kind === 'pause') await load?.pause()
    else await load?.close()
    return { kind: 'ready' }
  }
}

function answer(message: LoadAnswer): void {
  process.send?.(message)
}

class Load {
  readonly #producer: Producer
  readonly #visitors: Visitors
  readonly #workers: readonly TqWorker[]

  static async start(port: number, seed: number, tally: Tally): Promise<Load> {
    const workers = Array.from({ length: WORKERS }, () =>
      startWorker(port, tally, WORKER_CONCURRENCY),
    )
    return new Load(port, seed, tally, await Promise.all(workers))
  }

  private constructor(port: number, seed: number, tally: Tally, workers: readonly TqWorker[]) {
    this.#producer = new Producer(port, seed, tally)
    this.#visitors = new Visitors(port, tally)
    this.#workers = workers
  }

  run({ pace }: Extract<LoadOrder, { kind: 'run' }>): void {
    this.#producer.run(pace)
    this.#visitors.run()
  }

  async pause(): Promise<void> {
    this.#producer.pause()
    await this.#visitors.close()
  }

  async close(): Promise<void> {
    await this.pause()
    await this.#producer.close()
    await Promise.all(this.#workers.map((worker) => worker.stop()))
  }
}
