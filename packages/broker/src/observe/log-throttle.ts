// Keeps one event from filling the log: so many lines a second, and then only their number.

import { LOG_EVENTS, type LogEvent } from './log-event.ts'

/** More lines of one event in a second tell a person nothing that the first ones have not. */
export const LINES_PER_SECOND_MAX = 100
const WINDOW_MS = 1_000

interface Window {
  startMs: number
  lines: number
  suppressed: number
}

export class LogThrottle {
  readonly #nowMs: () => number
  readonly #windows = new Map<LogEvent, Window>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /**
   * How many lines of this event were left out before this one; undefined if this one is, too.
   * Nothing is left out at fatal, and nothing at debug: whoever asks for that wants all of it.
   */
  take(event: LogEvent): number | undefined {
    const { level } = LOG_EVENTS[event]
    if (level === 'fatal' || level === 'debug') return 0
    const nowMs = this.#nowMs()
    const window = this.#windows.get(event)
    if (window === undefined || nowMs - window.startMs >= WINDOW_MS) {
      this.#windows.set(event, { startMs: nowMs, lines: 1, suppressed: 0 })
      return window?.suppressed ?? 0
    }
    if (window.lines >= LINES_PER_SECOND_MAX) {
      window.suppressed += 1
      return undefined
    }
    window.lines += 1
    return 0
  }
}
