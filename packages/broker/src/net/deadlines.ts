// How long a client may keep the broker waiting, and for what.

export interface Patience {
  /** From connecting to hello. */
  readonly helloMs: number
  /** From the first byte of a frame to its last. */
  readonly frameMs: number
  /** Without a byte and without a request under way. */
  readonly idleMs: number
  /** Without taking anything of what it was sent. */
  readonly writeStallMs: number
}

/** What is going on at a connection. */
export interface Situation {
  readonly isGreeted: boolean
  /** False while the broker does not want to hear more: what does not come then is no fault. */
  readonly isReading: boolean
  /** Requests are being answered. */
  readonly isBusy: boolean
  /** Since when the client has taken nothing of what waits for it. */
  readonly stalledSinceMs: number | undefined
}

export class Deadlines {
  readonly #patience: Patience
  readonly #openedAtMs: number
  #quietSinceMs: number
  /** When the frame began that is not complete yet. */
  #frameSinceMs: number | undefined

  constructor(patience: Patience, nowMs: number) {
    this.#patience = patience
    this.#openedAtMs = nowMs
    this.#quietSinceMs = nowMs
  }

  /** Bytes came: they ended one frame or more, or none, and they began one, or did not. */
  heard(nowMs: number, of: { readonly ended: boolean; readonly begun: boolean }): void {
    this.#quietSinceMs = nowMs
    if (!of.begun) this.#frameSinceMs = undefined
    else if (of.ended || this.#frameSinceMs === undefined) this.#frameSinceMs = nowMs
  }

  /** The broker listens again: what it kept the client from sending has its time from now on. */
  resumed(nowMs: number): void {
    this.#quietSinceMs = nowMs
    if (this.#frameSinceMs !== undefined) this.#frameSinceMs = nowMs
  }

  /** Why the connection must end; undefined if the client has kept all its deadlines. */
  overdue(nowMs: number, situation: Situation): string | undefined {
    const { helloMs, frameMs, idleMs, writeStallMs } = this.#patience
    const { isGreeted, isReading, isBusy, stalledSinceMs } = situation
    if (!isGreeted && nowMs - this.#openedAtMs > helloMs) return 'no hello came in time'
    if (stalledSinceMs !== undefined && nowMs - stalledSinceMs > writeStallMs) {
      return 'the client did not read its answers'
    }
    if (!isReading) return undefined
    if (this.#frameSinceMs !== undefined && nowMs - this.#frameSinceMs > frameMs) {
      return 'a frame was not completed in time'
    }
    // Who waits for an answer has nothing to say; the quiet begins with the answer.
    if (isBusy) this.#quietSinceMs = nowMs
    return nowMs - this.#quietSinceMs > idleMs ? 'nothing was heard for too long' : undefined
  }
}
