// A process that runs the real client: its own time, chance and network, and what may befall it.

import type { ClientOptions } from '@tq/client'
import type { LinkParts } from './link.ts'
import { ProcessScheduler } from './process-scheduler.ts'
import { SeededRandom } from './seeded-random.ts'

export class ClientProcess {
  readonly options: ClientOptions
  readonly #parts: LinkParts
  readonly #scheduler: ProcessScheduler
  #stalls = 0

  /** @param name Of this life of the process: another life has other random numbers. */
  constructor(parts: LinkParts, name: string, seed: number) {
    const { world, network, swarm } = parts
    this.#parts = parts
    const scheduler = new ProcessScheduler(world)
    this.#scheduler = scheduler
    this.options = {
      address: '127.0.0.1:7461',
      name,
      connectTimeoutMs: Math.ceil(swarm.network.patienceMs),
      requestTimeoutMs: swarm.clients.requestTimeoutMs,
      inFlightMax: swarm.clients.inFlightMax,
      clock: world,
      scheduler,
      random: new SeededRandom(seed, name),
      dial: (_, events) => network.dial(scheduler, events),
    }
  }

  get scheduler(): ProcessScheduler {
    return this.#scheduler
  }

  get isAlive(): boolean {
    return this.#scheduler.isAlive
  }

  /** How often it stood still so far. */
  get stalls(): number {
    return this.#stalls
  }

  /** It stands still, as when it is swapped out, and goes on as if nothing had been. */
  stall(forMs: number): void {
    this.#stalls += 1
    this.#parts.trace.note(
      'process',
      `${this.options.name} stands still for ${forMs.toFixed(0)} ms`,
    )
    this.#scheduler.stall(forMs)
  }

  /** Nothing runs after this; its system closes its connections. */
  kill(): void {
    this.#parts.trace.note('process', `${this.options.name} is killed`)
    this.#scheduler.kill()
    this.#parts.network.processDied(this.#scheduler)
  }

  /** Resolves after so long in this process's time; never, if it is killed meanwhile. */
  sleep(forMs: number): Promise<void> {
    return new Promise((resolve) => void this.#scheduler.after(forMs, resolve))
  }
}
