// The first reason for which a broker cannot go on.

export class Failure {
  /** Resolves with the reason; never, while all is well. */
  readonly happened: Promise<string>
  #resolve: (reason: string) => void = () => undefined
  #reason: string | undefined
  #isSettled = false
  #listener: () => void = () => undefined

  constructor() {
    this.happened = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get reason(): string | undefined {
    return this.#reason
  }

  /** Calls back in the very turn of the failure, or now if it has happened already. */
  whenHappened(listener: () => void): void {
    this.#listener = listener
    if (this.#reason !== undefined) listener()
  }

  report(reason: string): void {
    if (this.#reason !== undefined || this.#isSettled) return
    this.#reason = reason
    this.#listener()
    this.#resolve(reason)
  }

  /** The broker has been ended on purpose: what fails from now on is no failure. */
  settle(): void {
    this.#isSettled = true
  }
}
