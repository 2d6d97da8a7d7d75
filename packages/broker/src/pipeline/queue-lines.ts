// The claims that wait on one queue, in lines: all claims of a line may take the same tasks.

import type { Queue } from '../engine/queue.ts'

/** Claims of one kind: if the first of them can take nothing, none can. */
export interface Line<C> {
  /** Who has waited longest; undefined once nobody is left. */
  readonly first: C | undefined
  /** When that one came, as a number that grows; Infinity once nobody is left. */
  readonly since: number
}

/** Something that came in its turn. */
interface Numbered {
  readonly number: number
}

class KindLine<C extends Numbered> implements Line<C> {
  readonly kind: string
  readonly claims = new Set<C>()

  constructor(kind: string) {
    this.kind = kind
  }

  get first(): C | undefined {
    for (const claim of this.claims) return claim
    return undefined
  }

  get since(): number {
    return this.first?.number ?? Infinity
  }
}

/**
 * What is of a kind depends on what the queue's tasks require, which changes: lines are formed when
 * somebody looks at them, so that a change costs nothing on a queue where nobody does.
 */
export class QueueLines<C extends Numbered> {
  /** Everybody in the order of coming, and where they stand; undefined for those just come. */
  readonly #lineOf = new Map<C, KindLine<C> | undefined>()
  readonly #justCome = new Set<C>()
  #byKind = new Map<string, KindLine<C>>()
  /** For what the lines were formed. */
  #queue: Queue | undefined
  #groupsVersion = 0

  get count(): number {
    return this.#lineOf.size
  }

  add(claim: C): void {
    this.#lineOf.set(claim, undefined)
    this.#justCome.add(claim)
  }

  delete(claim: C): boolean {
    const line = this.#lineOf.get(claim)
    this.#justCome.delete(claim)
    line?.claims.delete(claim)
    if (line?.claims.size === 0) this.#byKind.delete(line.kind)
    return this.#lineOf.delete(claim)
  }

  /**
   * All lines, in no order. O(claims) when the queue's requirements have changed, else O(lines).
   * @param kindOf Which claims may take the same tasks of this queue.
   */
  lines(queue: Queue, kindOf: (claim: C) => string): Line<C>[] {
    if (this.#queue !== queue || this.#groupsVersion !== queue.groupsVersion) {
      this.#queue = queue
      this.#groupsVersion = queue.groupsVersion
      this.#byKind = new Map()
      for (const claim of this.#lineOf.keys()) this.#join(claim, kindOf(claim))
    } else {
      for (const claim of this.#justCome) this.#join(claim, kindOf(claim))
    }
    this.#justCome.clear()
    return [...this.#byKind.values()]
  }

  #join(claim: C, kind: string): void {
    const line = this.#byKind.get(kind) ?? new KindLine<C>(kind)
    this.#byKind.set(kind, line)
    line.claims.add(claim)
    this.#lineOf.set(claim, line)
  }
}
