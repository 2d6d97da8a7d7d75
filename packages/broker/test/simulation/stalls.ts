// When a process stood still, and how much of that its ticker must have noticed.

/** The ticker looks at the clock this often at least, and calls it a stall from so much on. */
const TICK_MS = 500
const NOTICED_MS = 1_000

export class Stalls {
  readonly #stalls: { readonly fromMs: number; readonly untilMs: number }[] = []

  /** False if it stands still already: it does so once, however many reasons there are. */
  begin(nowMs: number, forMs: number): boolean {
    if ((this.#stalls.at(-1)?.untilMs ?? 0) > nowMs) return false
    this.#stalls.push({ fromMs: nowMs, untilMs: nowMs + forMs })
    return true
  }

  /** How long it stood still since then, as far as its ticker must have noticed. */
  noticedMs(sinceMs: number): number {
    let stalledMs = 0
    for (const { fromMs, untilMs } of this.#stalls) {
      const noticedMs = untilMs - fromMs - TICK_MS
      if (fromMs >= sinceMs && noticedMs >= NOTICED_MS) stalledMs += noticedMs
    }
    return stalledMs
  }
}
