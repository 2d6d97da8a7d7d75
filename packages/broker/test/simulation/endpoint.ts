// One end of a simulated connection: takes bytes as a socket does, and tells what comes.

import { invariant } from '@tq/core'
import type { BytePipe } from './byte-pipe.ts'

export interface EndpointEvents {
  data(bytes: Uint8Array): void
  /** The other side has said that nothing follows. */
  end(): void
  /** All that had to wait was taken. */
  drained(): void
  /** It is gone, and nothing comes after this. */
  closed(error: Error | undefined): void
}

interface Unsent {
  bytes: Uint8Array
  readonly taken: () => void
}

const NOTHING: EndpointEvents = {
  data: () => undefined,
  end: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
}

export class Endpoint {
  events: EndpointEvents = NOTHING
  /** Where its bytes go; joined once both ends are there. */
  #out: BytePipe | undefined
  #in: BytePipe | undefined
  #unsent: Unsent[] = []
  #unsentBytes = 0
  #unread: Uint8Array[] = []
  #isPaused = false
  #hasReadEnd = false
  #isEnding = false
  #isDestroyed = false
  readonly #isAlive: () => boolean

  /** @param isAlive Whether its process is there: what its system holds for a dead one is lost. */
  constructor(isAlive: () => boolean = () => true) {
    this.#isAlive = isAlive
  }

  join(pipes: { readonly out: BytePipe; readonly in: BytePipe }): void {
    this.#out = pipes.out
    this.#in = pipes.in
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed
  }

  get isEnding(): boolean {
    return this.#isEnding
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get unsentBytes(): number {
    return this.#unsentBytes
  }

  write(bytes: Uint8Array, taken: () => void): void {
    invariant(!this.#isEnding, 'nothing is written after the end')
    if (this.#isDestroyed) return
    this.#unsent.push({ bytes, taken })
    this.#unsentBytes += bytes.length
    this.pump()
  }

  /** Sends as much as the network takes. */
  pump(): void {
    const out = this.#out
    if (out === undefined || this.#isDestroyed || !this.#isAlive()) return
    const hadToWait = this.#unsentBytes > 0
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const size = Math.min(out.room, first.bytes.length)
      if (size === 0 && first.bytes.length > 0) return
      out.push(first.bytes.subarray(0, size))
      this.#unsentBytes -= size
      first.bytes = first.bytes.subarray(size)
      if (first.bytes.length > 0) return
      this.#unsent.shift()
      soon(first.taken)
    }
    if (hadToWait) soon(() => this.events.drained())
    if (this.#isEnding) {
      out.finish('end')
      this.#closeIfBothEnded()
    }
  }

  end(): void {
    if (this.#isEnding || this.#isDestroyed) return
    this.#isEnding = true
    this.pump()
  }

  /** Gone at once; what had been sent is still under way. */
  destroy(error?: Error): void {
    if (this.#isDestroyed) return
    this.#isDestroyed = true
    this.#unsent = []
    this.#unread = []
    this.#out?.finish('reset')
    soon(() => this.events.closed(error))
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    soon(() => this.#deliver())
  }

  /** Bytes have come. */
  take(bytes: Uint8Array): void {
    if (this.#isDestroyed) return
    this.#unread.push(bytes)
    this.#deliver()
  }

  /** Nothing more comes: the other side has ended, or is gone. */
  takeEnd(how: 'end' | 'reset'): void {
    if (this.#isDestroyed) return
    if (how === 'reset') return this.destroy(new Error('read ECONNRESET'))
    this.#hasReadEnd = true
    this.#deliver()
  }

  #deliver(): void {
    if (!this.#isAlive()) return
    while (!this.#isPaused && !this.#isDestroyed) {
      const bytes = this.#unread.shift()
      if (bytes === undefined) break
      this.#in?.read(bytes.length)
      this.events.data(bytes)
    }
    if (!this.#hasReadEnd || this.#unread.length > 0 || this.#isPaused || this.#isDestroyed) return
    this.events.end()
    this.#closeIfBothEnded()
  }

  #closeIfBothEnded(): void {
    if (this.#isEnding && this.#hasReadEnd && this.#unsent.length === 0) this.destroy()
  }
}

const NOW = Promise.resolve()

/** As soon as what runs now is over. What is thrown there is seen as a rejection nobody handled. */
function soon(run: () => void): void {
  void NOW.then(run)
}
