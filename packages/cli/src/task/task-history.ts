// What happened to a task, as a timeline to be read from top to bottom.

import type { HistoryChapter } from '@tq/core'
import { showDuration } from '../duration.ts'
import { showInstant } from '../moment.ts'
import { printable } from '../printable.ts'
import type { View } from '../table.ts'
import { paintState } from './task-state.ts'

const STATE_WIDTH = 9

/** A line for each change of state, under a line for each attempt. */
export function renderHistory(chapters: readonly HistoryChapter[], view: View): string {
  const lines: string[] = []
  let before: HistoryChapter | undefined
  let beforeMs: number | undefined
  for (const chapter of chapters) {
    if (before !== undefined && isGap(before, chapter)) {
      lines.push(view.colors.dim('… attempts in between are not kept'))
      beforeMs = undefined
    }
    lines.push(titleOf(chapter, view))
    for (const transition of chapter.transitions) {
      lines.push(lineOf(transition, beforeMs, view))
      beforeMs = transition.atMs
    }
    if (chapter.error !== undefined) lines.push(`    ${errorLine(chapter.error, view)}`)
    before = chapter
  }
  return lines.join('\n')
}

/** `TypeError: no such thing`, on one line. */
export function errorLine(error: NonNullable<HistoryChapter['error']>, view: View): string {
  const text = error.type === undefined ? error.message : `${error.type}: ${error.message}`
  return view.colors.red(printable(text))
}

/** Only the first attempt and the last ones are kept. */
function isGap(before: HistoryChapter, after: HistoryChapter): boolean {
  if (before.generation === after.generation) return after.attempt > before.attempt + 1
  return after.generation > before.generation + 1
}

function titleOf(chapter: HistoryChapter, view: View): string {
  const parts = [`attempt ${chapter.attempt}`]
  if (chapter.generation > 0) parts.push(`after redrive ${chapter.generation}`)
  if (chapter.worker !== undefined) parts.push(`by ${printable(chapter.worker)}`)
  if (chapter.token !== undefined) parts.push(`(token ${chapter.token})`)
  return view.colors.bold(parts.join(' '))
}

function lineOf(
  transition: HistoryChapter['transitions'][number],
  beforeMs: number | undefined,
  view: View,
): string {
  const { state, reason, atMs } = transition
  const after = beforeMs === undefined ? '' : `+${showDuration(Math.max(0, atMs - beforeMs))}`
  const name = paintState(state, view.colors, STATE_WIDTH)
  const why = state === reason ? '' : `  ${reason}`
  return `  ${showInstant(atMs)}  ${after.padStart(8)}  ${name}${why}`.trimEnd()
}
