// Who is reading the disk: what such a read may have missed stays in memory until it has ended.

import { invariant } from '@tq/core'

/** A read that is under way. */
export interface FetchTicket {
  readonly number: number
}

/**
 * A command that reads the disk decides later, by what it read. In between, another command's commit
 * may become durable and its entry could leave memory: the first would then find it in neither
 * place. So an entry leaves memory only after all reads have ended that began before.
 */
export class FetchWindow {
  readonly #open = new Set<number>()
  readonly #waiting: { readonly before: number; readonly run: () => void }[] = []
  #next = 1

  begin(): FetchTicket {
    const number = this.#next
    this.#next += 1
    this.#open.add(number)
    return { number }
  }

  end(ticket: FetchTicket): void {
    invariant(this.#open.delete(ticket.number), 'a read ends once')
    const oldest = this.#oldest()
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.before > oldest) return
      this.#waiting.shift()
      next.run()
    }
  }

  /** Runs `run` when every read that is open now has ended: at once if there is none. */
  whenQuiet(run: () => void): void {
    if (this.#open.size === 0) run()
    else this.#waiting.push({ before: this.#next, run })
  }

  /** Numbers only grow, and a set keeps their order: the first is the oldest. */
  #oldest(): number {
    for (const number of this.#open) return number
    return Infinity
  }
}
