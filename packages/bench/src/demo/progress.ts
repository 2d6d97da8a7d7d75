// Live progress: one line that changes on a terminal, plain lines in a pipe.

const BAR_CELLS = 28
const PLAIN_EVERY_MS = 1_000

export class Progress {
  readonly #isTerminal = process.stdout.isTTY
  readonly #startedAtMs = performance.now()
  #lastPlainAtMs = 0
  #hasLine = false

  /** Shows how far the work is. */
  show(done: number, total: number): void {
    const text = `${String(done).padStart(String(total).length)} / ${total} files`
    if (this.#isTerminal) {
      const filled = Math.round((BAR_CELLS * done) / Math.max(1, total))
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled)
      process.stdout.write(`\r${this.#clock()}  ${bar}  ${text}\u001b[K`)
      this.#hasLine = true
      return
    }
    const nowMs = performance.now()
    if (done < total && nowMs - this.#lastPlainAtMs < PLAIN_EVERY_MS) return
    this.#lastPlainAtMs = nowMs
    process.stdout.write(`${this.#clock()}  ${text}\n`)
  }

  /** Says what happened, on a line of its own. */
  tell(text: string): void {
    if (this.#hasLine) process.stdout.write('\n')
    this.#hasLine = false
    process.stdout.write(`${this.#clock()}  ${text}\n`)
  }

  #clock(): string {
    return `${((performance.now() - this.#startedAtMs) / 1_000).toFixed(1).padStart(5)} s`
  }
}
