// The history of one process, line by line in a file; it loses nothing that others could know of.

import { openSync, writeSync } from 'node:fs'
import type { HistoryLine } from './history-line.ts'

export class HistoryWriter {
  readonly #file: number
  #waiting = ''
  #isFlushDue = false

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  /** Notes what this process has learnt; it may be lost if the process is killed in this turn. */
  note(line: HistoryLine): void {
    this.#waiting += `${JSON.stringify(line)}\n`
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => {
      this.#isFlushDue = false
      this.flush()
    })
  }

  /** What was noted now outlives this process; called before anything leaves it. */
  flush(): void {
    if (this.#waiting === '') return
    const text = this.#waiting
    this.#waiting = ''
    writeSync(this.#file, text)
  }
}

/** Microseconds of the clock that all processes of a machine share. */
export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n)
}
