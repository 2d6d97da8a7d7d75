// Requests that were sent on the current connection and have not been answered.

import { limits } from '@tq/core'
import type { Call } from './call.ts'
import { FIRST_USER_ID } from './connection.ts'

/** Places that only control requests may use: an abort must not wait for a parked claim. */
const RESERVED_COUNT = 4

export class InFlight {
  readonly #calls = new Map<number, Call>()
  #max = 1
  #nextId = FIRST_USER_ID

  /** Most requests that the client and the broker allow. */
  set max(max: number) {
    this.#max = Math.max(1, max - RESERVED_COUNT)
  }

  hasRoomFor(call: Call): boolean {
    return this.#calls.size < this.#max + (call.isControl ? RESERVED_COUNT : 0)
  }

  /** An id that no request on the way has. */
  takeId(): number {
    do {
      this.#nextId = this.#nextId >= limits.REQUEST_ID_MAX ? FIRST_USER_ID : this.#nextId + 1
    } while (this.#calls.has(this.#nextId))
    return this.#nextId
  }

  add(call: Call): void {
    this.#calls.set(call.id, call)
  }

  take(id: number): Call | undefined {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    return call
  }

  /** Those somebody still waits for; one that was given up keeps its id until its answer comes. */
  open(): Call[] {
    const open: Call[] = []
    for (const call of this.#calls.values()) if (call.state === 'in-flight') open.push(call)
    return open
  }

  /** The connection is gone, and no answer comes any more. */
  clear(): void {
    this.#calls.clear()
  }
}
