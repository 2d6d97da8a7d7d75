// A client that asks for little: how long one task takes from its enqueue to its end.

import { TqClient } from '@tq/client'

const QUEUE = 'probe'
const ROUNDS = 15
/** Back to normal: so many times what it took before, or what nobody would notice. */
const NORMAL_FACTOR = 5
const NORMAL_MS = 100
const PATIENCE_SECONDS = 60

export class Probe {
  readonly #client: TqClient

  constructor(port: number) {
    this.#client = new TqClient({ address: `127.0.0.1:${port}`, name: 'probe' })
  }

  /** The median of some rounds, in ms. */
  async typicalMs(): Promise<number> {
    const rounds: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await this.#roundMs())
    return rounds.sort((a, b) => a - b)[ROUNDS >>> 1] ?? 0
  }

  /** How long until rounds take what they took before, in s. */
  async recoverySeconds(beforeMs: number): Promise<number> {
    const sinceMs = performance.now()
    const normalMs = Math.max(NORMAL_MS, NORMAL_FACTOR * beforeMs)
    for (;;) {
      const startedAtSeconds = (performance.now() - sinceMs) / 1_000
      if ((await this.typicalMs()) <= normalMs) return startedAtSeconds
      if (startedAtSeconds > PATIENCE_SECONDS) return startedAtSeconds
    }
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #roundMs(): Promise<number> {
    const sinceMs = performance.now()
    await this.#client.enqueue(QUEUE, 'probe', undefined)
    const { tasks } = await this.#client.claim(QUEUE, { max: 1, waitMs: 30_000 })
    await this.#client.complete(tasks)
    return performance.now() - sinceMs
  }
}
