// Requests for which the commit being gathered has no room: they wait in order, unread ones behind them.

import type { Clock, Request } from '@tq/core'
import type { Conversation } from './conversation.ts'

export interface Backlogged {
  readonly conversation: Conversation
  readonly id: number
  readonly request: Request
}

export interface BacklogParts {
  readonly clock: Clock
  readonly hasRoom: () => boolean
  readonly carryOut: (backlogged: Backlogged) => void
  /** All of them have been carried out: for so long nobody was listened to. */
  readonly onOver: (heldUpMs: number) => void
}

export class Backlog {
  readonly #parts: BacklogParts
  #waiting: Backlogged[] = []
  #sinceMs: number | undefined

  constructor(parts: BacklogParts) {
    this.#parts = parts
  }

  /** True while requests wait, among them perhaps heartbeats. */
  get isHeldUp(): boolean {
    return this.#sinceMs !== undefined
  }

  add(backlogged: Backlogged): void {
    this.#sinceMs ??= this.#parts.clock.monotonicMs()
    this.#waiting.push(backlogged)
    backlogged.conversation.sink.setReading(false)
  }

  /** Goes on with those who wait, as far as there is room. */
  drain(): void {
    const { hasRoom, carryOut, clock, onOver } = this.#parts
    while (this.#waiting.length > 0 && hasRoom()) {
      const batch = this.#waiting
      this.#waiting = []
      let taken = 0
      for (const backlogged of batch) {
        if (!hasRoom()) break
        taken += 1
        if (backlogged.conversation.isOpen) carryOut(backlogged)
      }
      // Who has waited longest goes first: those who read on now come after them.
      this.#waiting = [...batch.slice(taken), ...this.#waiting]
      for (const { conversation } of batch.slice(0, taken)) conversation.sink.setReading(true)
    }
    if (this.#waiting.length > 0 || this.#sinceMs === undefined) return
    const heldUpMs = clock.monotonicMs() - this.#sinceMs
    this.#sinceMs = undefined
    onOver(heldUpMs)
  }
}
