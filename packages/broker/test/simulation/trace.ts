// What happened in a run: a hash over all of it, the last lines for people, and points that were reached.

import { createHash } from 'node:crypto'
import type { Verb } from '@tq/core'
import type { SometimesPoint } from './sometimes.ts'
import type { World } from './world.ts'

const TAIL_LINES = 30
/** Text is hashed in pieces of about this many characters: a call for each line would cost more. */
const PIECE_CHARACTERS = 16_384

interface Note {
  readonly atMs: number
  readonly who: string
  readonly what: string
}

export class Trace {
  readonly #world: World
  readonly #hash = createHash('sha256')
  readonly #listen: ((line: string) => void) | undefined
  #unhashed = ''
  #tail: Note[] = []
  readonly points = new Map<SometimesPoint, number>()
  /** How often each verb reached the broker. */
  readonly verbs = new Map<Verb, number>()
  /** The first law that was seen broken. */
  violation: string | undefined

  constructor(world: World, listen?: (line: string) => void) {
    this.#world = world
    this.#listen = listen
  }

  get nowMs(): number {
    return this.#world.nowMs
  }

  note(who: string, what: string): void {
    const note: Note = { atMs: this.#world.nowMs, who, what }
    this.#unhashed += `${note.atMs} ${who} ${what}\n`
    if (this.#unhashed.length >= PIECE_CHARACTERS) this.#hashPiece()
    this.#tail.push(note)
    this.#listen?.(lineOf(note))
    if (this.#tail.length > 2 * TAIL_LINES) this.#tail = this.#tail.slice(-TAIL_LINES)
  }

  /** A named thing that ought to happen sometimes has happened. */
  reach(point: SometimesPoint): void {
    this.points.set(point, (this.points.get(point) ?? 0) + 1)
  }

  /** A request came. */
  asked(verb: Verb): void {
    this.verbs.set(verb, (this.verbs.get(verb) ?? 0) + 1)
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
    return this.#tail.slice(-TAIL_LINES).map(lineOf)
  }

  digest(): string {
    this.#hashPiece()
    return this.#hash.copy().digest('hex').slice(0, 16)
  }

  #hashPiece(): void {
    this.#hash.update(this.#unhashed)
    this.#unhashed = ''
  }
}

function lineOf({ atMs, who, what }: Note): string {
  return `${atMs.toFixed(3).padStart(11)} ${who.padEnd(10)} ${what}`
}
