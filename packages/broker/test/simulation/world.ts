// The simulated world: one heap of events ordered by (time, number), and clocks that a seed moves.

import { invariant, type Clock, type Scheduler, type Timer } from '@tq/core'

/** 2026-01-01: wall times look like wall times. */
const WALL_START_MS = 1_767_225_600_000
/** So often Node's own loop gets a turn: signals and rejections that nobody handled are seen then. */
const EVENTS_PER_TURN = 64

interface Event {
  readonly atMs: number
  readonly number: number
  readonly run: () => void
  isCancelled: boolean
}

export class World implements Clock, Scheduler {
  readonly #events: Event[] = []
  #nextNumber = 1
  #nowMs = 0
  #wallOffsetMs = 0
  #wallOffsetMsMax = 0
  #eventNumber = 0
  #sinceTurn = 0

  /** Number of the event that runs now. */
  get eventNumber(): number {
    return this.#eventNumber
  }

  get nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return Math.floor(WALL_START_MS + this.#nowMs + this.#wallOffsetMs)
  }

  /** The wall clock jumps; nothing else does. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs
    this.#wallOffsetMsMax = Math.max(this.#wallOffsetMsMax, this.#wallOffsetMs)
  }

  /** The wall clock is set right, not before any time that it has shown. */
  mendWall(): void {
    this.#wallOffsetMs = this.#wallOffsetMsMax
  }

  after(delayMs: number, callback: () => void): Timer {
    invariant(delayMs >= 0, 'nothing is scheduled in the past')
    const event = {
      atMs: this.#nowMs + delayMs,
      number: this.#nextNumber,
      run: callback,
      isCancelled: false,
    }
    this.#nextNumber += 1
    this.#push(event)
    return { cancel: () => void (event.isCancelled = true) }
  }

  soon(callback: () => void): void {
    this.after(0, callback)
  }

  /**
   * Runs events, each with all that follows from it at once, for as long as `goesOn` says so; it is
   * asked before each of them.
   */
  run(goesOn: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          if (!goesOn()) return resolve()
          this.#runNext()
        } catch (error) {
          return reject(error as Error)
        }
        void NOW.then(later)
      }
      const later = (): void => this.#whenSettled(turn)
      later()
    })
  }

  #runNext(): void {
    let event = this.#pop()
    while (event?.isCancelled === true) event = this.#pop()
    invariant(event !== undefined, 'the world goes on')
    this.#nowMs = event.atMs
    this.#eventNumber += 1
    event.run()
  }

  /**
   * Calls back when all microtasks have run, however long their chains are: a tick that is asked for
   * by a microtask comes after the last of them, and costs a fraction of a turn of Node's loop.
   */
  #whenSettled(callback: () => void): void {
    this.#sinceTurn += 1
    if (this.#sinceTurn < EVENTS_PER_TURN) {
      process.nextTick(callback)
      return
    }
    this.#sinceTurn = 0
    setImmediate(callback)
  }

  #push(event: Event): void {
    const events = this.#events
    let at = events.length
    events.push(event)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = events[parent] as Event
      if (isBefore(above, event)) break
      events[at] = above
      at = parent
    }
    events[at] = event
  }

  #pop(): Event | undefined {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (first === undefined || last === undefined || events.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= events.length) break
      const right = events[child + 1]
      if (right !== undefined && isBefore(right, events[child] as Event)) child += 1
      if (isBefore(last, events[child] as Event)) break
      events[at] = events[child] as Event
      at = child
    }
    events[at] = last
    return first
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.number < other.number)
}

const NOW = Promise.resolve()
