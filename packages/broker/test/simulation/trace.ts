// What happened in a run: a hash over all of it, the last lines for people, and points that were reached.

import { createHash } from 'node:crypto'
import type { SometimesPoint } from './sometimes.ts'
import type { World } from './world.ts'

const TAIL_LINES = 30

export class Trace {
  readonly #world: World
  readonly #hash = createHash('sha256')
  readonly #listen: ((line: string) => void) | undefined
  #tail: string[] = []
  readonly points = new Map<SometimesPoint, number>()
  /** The first law that was seen broken. */
  violation: string | undefined

  constructor(world: World, listen?: (line: string) => void) {
    this.#world = world
    this.#listen = listen
  }

  note(who: string, what: string): void {
    const line = `${this.#world.nowMs.toFixed(3).padStart(11)} ${who.padEnd(10)} ${what}`
    this.#hash.update(line)
    this.#tail.push(line)
    this.#listen?.(line)
    if (this.#tail.length > 2 * TAIL_LINES) this.#tail = this.#tail.slice(-TAIL_LINES)
  }

  /** A named thing that ought to happen sometimes has happened. */
  reach(point: SometimesPoint): void {
    this.points.set(point, (this.points.get(point) ?? 0) + 1)
  }

  /** A law does not hold. The first one counts; what follows may only follow from it. */
  violate(law: string): void {
    if (this.violation === undefined) this.note('VIOLATION', law)
    this.violation ??= law
  }

  /** Checks a law and tells if it holds. */
  law(holds: boolean, text: string | (() => string)): boolean {
    if (!holds) this.violate(typeof text === 'string' ? text : text())
    return holds
  }

  get tail(): readonly string[] {
    return this.#tail.slice(-TAIL_LINES)
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }
}
