// Looks at tasks again and again, and knows between which moments each of them changed.

import type { TaskIdBytes, TaskState } from '@tq/core'
import type { WireClient } from '../end-to-end/wire-client.ts'

/** A state in which a task was seen: it was in it at some moment from `fromMs` to `toMs`. */
interface Sighting {
  readonly state: TaskState
  readonly fromMs: number
  readonly toMs: number
}

const LOOK_EVERY_MS = 40

export class Sightings {
  readonly #wire: WireClient
  readonly #seen = new Map<string, Sighting[]>()
  readonly #ids = new Map<string, TaskIdBytes>()
  #isStopped = false
  #looking: Promise<void> = Promise.resolve()

  constructor(wire: WireClient) {
    this.#wire = wire
  }

  watch(name: string, id: TaskIdBytes): void {
    this.#ids.set(name, id)
    this.#seen.set(name, [])
  }

  start(): void {
    this.#looking = this.#look()
  }

  /** @throws what a look ended with, such as a broker that is gone. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#looking
  }

  /**
   * When the task left a state: not before `afterMs`, and before `beforeMs`, which is infinite if it
   * was never seen in another. It may have left it before it was seen at all.
   */
  left(name: string, from: TaskState): { readonly afterMs: number; readonly beforeMs: number } {
    const seen = this.#seen.get(name) ?? []
    const next = seen.findIndex(({ state }) => state !== from)
    const last = next === -1 ? seen.at(-1) : seen[next - 1]
    return { afterMs: last?.fromMs ?? -Infinity, beforeMs: seen[next]?.toMs ?? Infinity }
  }

  /** The states that it was seen in, one after the other. */
  states(name: string): TaskState[] {
    const states = (this.#seen.get(name) ?? []).map(({ state }) => state)
    return states.filter((state, index) => state !== states[index - 1])
  }

  async #look(): Promise<void> {
    while (!this.#isStopped) {
      for (const [name, id] of this.#ids) {
        const fromMs = performance.now()
        const { state } = await this.#wire.task(id)
        this.#seen.get(name)?.push({ state, fromMs, toMs: performance.now() })
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }
}
