// The scheduler of one process: it can stand still for a while, and nothing runs after its death.

import type { Scheduler, Timer } from '@tq/core'
import type { World } from './world.ts'

export class ProcessScheduler implements Scheduler {
  readonly #world: World
  #stalledUntilMs = 0
  #isAlive = true

  constructor(world: World) {
    this.#world = world
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  after(delayMs: number, callback: () => void): Timer {
    let timer: Timer
    const run = (): void => {
      if (!this.#isAlive) return
      const lateMs = this.#stalledUntilMs - this.#world.nowMs
      // What is held back keeps its order: it is scheduled again in the order in which it was due.
      if (lateMs > 0) timer = this.#world.after(lateMs, run)
      else callback()
    }
    timer = this.#world.after(delayMs, run)
    return { cancel: () => timer.cancel() }
  }

  soon(callback: () => void): void {
    this.after(0, callback)
  }

  /** The process does nothing for so long, like one that collects garbage or is swapped out. */
  stall(forMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#world.nowMs + forMs)
  }

  kill(): void {
    this.#isAlive = false
  }
}
