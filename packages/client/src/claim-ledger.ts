// The numbers of a session's claims, and up to which of them no answer is still on its way.

export class ClaimLedger {
  #last = 0
  readonly #open = new Set<number>()

  /** The number of a new claim. */
  next(): number {
    this.#last += 1
    this.#open.add(this.#last)
    return this.#last
  }

  /** The claim was answered, or nobody waits for its answer any more. */
  close(claim: number): void {
    this.#open.delete(claim)
  }

  /**
   * All claims up to this number are closed. The broker takes back leases of such claims that a
   * heartbeat does not name: their reply never reached anybody.
   */
  get received(): number {
    // A set keeps the order of insertion: its first entry is the oldest claim still open.
    for (const oldest of this.#open) return oldest - 1
    return this.#last
  }
}
