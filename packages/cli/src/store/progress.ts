// Tells a person now and then how far something is; a script hears nothing of it.

import { systemClock } from '@tq/core'
import type { Run } from '../run.ts'

/** Between two lines, in ms. */
const EVERY_MS = 2_000

/** Notes a line if somebody looks on and the last one was not just now. */
export function progressNotes({ terminal }: Run): (text: string) => void {
  let notedAtMs = systemClock.monotonicMs()
  return (text) => {
    const nowMs = systemClock.monotonicMs()
    if (!terminal.isScreen || nowMs - notedAtMs < EVERY_MS) return
    notedAtMs = nowMs
    terminal.note(text)
  }
}
