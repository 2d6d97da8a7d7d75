// Requests that are not in flight: those that wait to be sent, and those that pause after a refusal.

import { invariant, type Scheduler, type Timer } from '@tq/core'
import type { Call } from './call.ts'

export interface OutboxLimits {
  readonly bufferedRequestsMax: number
  readonly bufferedBytesMax: number
}

export class Outbox {
  readonly #limits: OutboxLimits
  readonly #scheduler: Scheduler
  readonly #waiting: Call[] = []
  readonly #pausing = new Map<Call, Timer>()
  #waitingBytes = 0

  constructor(limits: OutboxLimits, scheduler: Scheduler) {
    this.#limits = limits
    this.#scheduler = scheduler
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  get count(): number {
    return this.#waiting.length + this.#pausing.size
  }

  /** True if a call with so many bytes has to be refused. A single big one always fits. */
  isFullFor(bytes: number): boolean {
    if (this.#waiting.length >= this.#limits.bufferedRequestsMax) return true
    return this.#waiting.length > 0 && this.#waitingBytes + bytes > this.#limits.bufferedBytesMax
  }

  /** What waits and what may wait, for an error text. */
  describe(): string {
    const { bufferedRequestsMax, bufferedBytesMax } = this.#limits
    const waiting = `${this.#waiting.length} requests with ${this.#waitingBytes} bytes wait`
    return `${waiting} to be sent; at most ${bufferedRequestsMax} and ${bufferedBytesMax} bytes may`
  }

  add(call: Call, place: 'last' | 'first'): void {
    call.state = 'waiting'
    this.#waitingBytes += call.bytes
    if (place === 'last') this.#waiting.push(call)
    else this.#waiting.splice(this.#leadingControls(), 0, call)
  }

  /** The call that would be sent next; it stays where it is. */
  peek(): Call | undefined {
    return this.#waiting[0]
  }

  take(): Call | undefined {
    const call = this.#waiting.shift()
    this.#waitingBytes -= call?.bytes ?? 0
    return call
  }

  /** Keeps the call for `delayMs`, then lets it wait at the end of the line and calls `back`. */
  pause(call: Call, delayMs: number, back: () => void): void {
    call.state = 'pausing'
    const timer = this.#scheduler.after(delayMs, () => {
      this.#pausing.delete(call)
      this.add(call, 'last')
      back()
    })
    this.#pausing.set(call, timer)
  }

  remove(call: Call): void {
    if (call.state === 'pausing') {
      this.#pausing.get(call)?.cancel()
      this.#pausing.delete(call)
      return
    }
    const at = this.#waiting.indexOf(call)
    invariant(at >= 0, 'a call that is not in flight waits or pauses')
    this.#waiting.splice(at, 1)
    this.#waitingBytes -= call.bytes
  }

  /** A copy of all, so that the caller may remove while looking. */
  all(): Call[] {
    return [...this.#waiting, ...this.#pausing.keys()]
  }

  /** Control requests go before all others, and keep their order among themselves. */
  #leadingControls(): number {
    let count = 0
    while (this.#waiting[count]?.isControl === true) count += 1
    return count
  }
}
