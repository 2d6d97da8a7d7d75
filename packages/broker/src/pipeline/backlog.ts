// What waits while the commit being gathered has no room: in order, unread requests behind it.

import type { Clock } from '@tq/core'
import type { Conversation } from './conversation.ts'

export interface Backlogged {
  readonly conversation: Conversation
  /** Carries out what waits; also called when the connection is gone meanwhile. */
  readonly run: () => void
}

export interface BacklogParts {
  readonly clock: Clock
  readonly hasRoom: () => boolean
  /** Something has waited for so long: as long nobody was listened to. */
  readonly onOver: (heldUpMs: number) => void
}

/** A wait as long as this may hide heartbeats: what time brings then waits as well, in ms. */
const HELD_UP_MS = 250

interface Entry extends Backlogged {
  readonly sinceMs: number
}

export class Backlog {
  readonly #parts: BacklogParts
  #waiting: Entry[] = []
  /** The longest wait that has ended since somebody was told, in ms. */
  #longestMs = 0

  constructor(parts: BacklogParts) {
    this.#parts = parts
  }

  /**
   * True while something has waited for long. Under steady load there is always somebody who waits,
   * but never for long: time must go on then.
   */
  get isHeldUp(): boolean {
    const oldest = this.#waiting[0]
    return oldest !== undefined && this.#waitedMs(oldest) >= HELD_UP_MS
  }

  add(backlogged: Backlogged): void {
    this.#waiting.push({ ...backlogged, sinceMs: this.#parts.clock.monotonicMs() })
    backlogged.conversation.sink.setReading(false)
  }

  /** Goes on with those who wait, as far as there is room. */
  drain(): void {
    const { hasRoom, onOver } = this.#parts
    while (this.#waiting.length > 0 && hasRoom()) {
      const batch = this.#waiting
      this.#waiting = []
      let taken = 0
      for (const entry of batch) {
        if (!hasRoom()) break
        taken += 1
        this.#longestMs = Math.max(this.#longestMs, this.#waitedMs(entry))
        entry.run()
      }
      // Who has waited longest goes first: those who read on now come after them.
      this.#waiting = [...batch.slice(taken), ...this.#waiting]
      for (const { conversation } of batch.slice(0, taken)) conversation.sink.setReading(true)
    }
    if (this.#longestMs < HELD_UP_MS || this.isHeldUp) return
    const heldUpMs = this.#longestMs
    this.#longestMs = 0
    onOver(heldUpMs)
  }

  #waitedMs(entry: Entry): number {
    return this.#parts.clock.monotonicMs() - entry.sinceMs
  }
}
