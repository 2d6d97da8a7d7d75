// A worker process with the real TqWorker in it: it works, stalls, stops in good order, or is killed.

import { HandlerError, type TaskContext, TqWorker } from '@tq/client'
import { ClientProcess } from './client-process.ts'
import type { Fences } from './fences.ts'
import { shortOf } from './heard.ts'
import type { LinkParts } from './link.ts'
import type { SeededRandom } from './seeded-random.ts'

export class ClientWorker {
  readonly #parts: LinkParts
  readonly #fences: Fences
  readonly #name: string
  readonly #seed: number
  readonly #random: SeededRandom
  #process: ClientProcess
  #worker: TqWorker
  #isCalm = false
  #life = 0

  constructor(
    parts: LinkParts,
    fences: Fences,
    who: { readonly name: string; readonly seed: number },
  ) {
    this.#parts = parts
    this.#fences = fences
    this.#name = who.name
    this.#seed = who.seed
    this.#random = parts.random
    ;[this.#process, this.#worker] = this.#make()
  }

  start(): void {
    this.#begin()
    this.#thinkThenAct()
  }

  calm(): void {
    this.#isCalm = true
  }

  #make(): [ClientProcess, TqWorker] {
    const { workers, queues } = this.#parts.swarm
    this.#life += 1
    const process = new ClientProcess(this.#parts, `${this.#name}.${this.#life}`, this.#seed)
    const { reconnect: _, onEvent: __, keepaliveMs: ___, ...options } = process.options
    const worker = new TqWorker({
      ...options,
      queues,
      labels: this.#random.happens(0.5) ? { gpu: true } : {},
      concurrency: workers.slots,
      leaseMs: workers.leaseMs,
      waitMs: this.#random.pick([50, 1_000, 30_000]),
      order: this.#random.pick(['round', 'strict'] as const),
      heartbeatThread: false,
      reconnect: { baseMs: 10, capMs: 500 },
    })
    worker.handle('*', (task, context) => this.#handle(process, context, shortOf(task.id)))
    return [process, worker]
  }

  #begin(): void {
    const { trace } = this.#parts
    const name = this.#name
    // Everybody is welcome here: it ends early only if it is stopped before a broker was there.
    this.#worker
      .start()
      .catch((error: unknown) => trace.note(name, `does not start: ${String(error)}`))
  }

  async #handle(process: ClientProcess, context: TaskContext, id: string): Promise<unknown> {
    const { trace, swarm } = this.#parts
    const { workMsMax, failChance } = swarm.workers
    const { token, signal } = context
    const { stalls } = process
    let isOver = false
    this.#fences.begin(token, {
      isGoing: () => !isOver && !signal.aborted && process.isAlive,
      hasStalled: () => process.stalls > stalls,
    })
    trace.note(this.#name, `begins ${id} by token ${token}`)
    try {
      await process.sleep(this.#isCalm ? 1 : this.#random.chance() * workMsMax)
      if (this.#random.happens(0.1)) context.progress(50, 'half of it')
      if (signal.aborted) trace.reach('the worker told a handler to stop')
      if (!this.#isCalm && this.#random.happens(failChance)) throw this.#failure()
      return this.#random.happens(0.5) ? { done: id } : undefined
    } finally {
      isOver = true
      this.#fences.end(token)
    }
  }

  #failure(): Error {
    const options = this.#random.happens(0.2) ? { retryable: false } : { retryAfterMs: 100 }
    return new HandlerError('it did not work', options)
  }

  #thinkThenAct(): void {
    const { world, swarm } = this.#parts
    world.after(2 * this.#random.chance() * swarm.workers.thinkMs * 4, () => {
      if (!this.#isCalm) this.#befall()
      this.#thinkThenAct()
    })
  }

  #befall(): void {
    const { workers } = this.#parts.swarm
    if (this.#random.happens(workers.zombieChance)) {
      this.#process.stall(workers.leaseMs * this.#random.magnitude(0.3, 4))
    } else if (this.#random.happens(workers.restartChance * 4)) {
      this.#restart()
    }
  }

  #restart(): void {
    const { trace } = this.#parts
    const [process, worker] = [this.#process, this.#worker]
    if (this.#random.happens(0.5)) {
      process.kill()
    } else {
      trace.note(this.#name, 'stops in good order')
      void worker.stop({ deadlineMs: this.#random.pick([1, 500]) }).then(() => {
        trace.reach('a worker stopped in good order')
      })
    }
    ;[this.#process, this.#worker] = this.#make()
    this.#begin()
  }
}
