// Which of the numbered tasks a run has seen, and how often: nothing may be lost or come twice.

export interface LedgerVerdict {
  readonly lost: number
  readonly duplicated: number
  /** Tasks of other numbers: what an earlier run left behind, or bytes that are no task. */
  readonly strange: number
}

export class TaskLedger {
  readonly #first: number
  readonly #seen: Uint8Array
  #seenCount = 0
  #duplicated = 0
  #strange = 0

  /** Expects the numbers from `first` on, `count` of them. */
  constructor(first: number, count: number) {
    this.#first = first
    this.#seen = new Uint8Array(count)
  }

  note(number: number): void {
    const at = number - this.#first
    if (this.#seen[at] === undefined) this.#strange += 1
    else if (this.#seen[at] === 1) this.#duplicated += 1
    else {
      this.#seen[at] = 1
      this.#seenCount += 1
    }
  }

  verdict(): LedgerVerdict {
    const lost = this.#seen.length - this.#seenCount
    return { lost, duplicated: this.#duplicated, strange: this.#strange }
  }
}
