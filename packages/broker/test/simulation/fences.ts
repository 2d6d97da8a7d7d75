// Who is at work under which token, by the workers' own account: what the broker cannot know.

export interface AtWork {
  /** The handler has not been told to stop. */
  readonly isGoing: () => boolean
  /** Its process stood still at some time since it began: then nothing could tell it in time. */
  readonly hasStalled: () => boolean
}

export class Fences {
  readonly #atWork = new Map<number, AtWork>()

  begin(token: number, work: AtWork): void {
    this.#atWork.set(token, work)
  }

  end(token: number): void {
    this.#atWork.delete(token)
  }

  /** A handler that could have known better goes on under this token. */
  goesOn(token: number): boolean {
    const work = this.#atWork.get(token)
    return work !== undefined && work.isGoing() && !work.hasStalled()
  }
}
