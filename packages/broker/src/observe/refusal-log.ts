// Tells of refused connections: at once, and then only now and then how many there were.

/** A full broker is asked again and again; a person reads one line of it in this time. */
const INTERVAL_MS = 10_000

export class RefusalLog {
  readonly #nowMs: () => number
  readonly #tell: (refused: number, reason: string) => void
  #toldAtMs = -Infinity
  #refused = 0

  /** @param tell Told how many were refused since the last time, and why the last one was. */
  constructor(nowMs: () => number, tell: (refused: number, reason: string) => void) {
    this.#nowMs = nowMs
    this.#tell = tell
  }

  note(reason: string): void {
    this.#refused += 1
    const nowMs = this.#nowMs()
    if (nowMs - this.#toldAtMs < INTERVAL_MS) return
    this.#toldAtMs = nowMs
    this.#tell(this.#refused, reason)
    this.#refused = 0
  }
}
