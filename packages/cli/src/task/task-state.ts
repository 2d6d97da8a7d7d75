// The state of a task in its colour.

import type { TaskState } from '@tq/core'
import type { Colors } from '../terminal.ts'

type Paint = 'green' | 'red' | 'yellow' | 'cyan' | 'dim'

const PAINT_BY_STATE: Readonly<Record<TaskState, Paint | undefined>> = {
  scheduled: 'dim',
  queued: undefined,
  assigned: 'cyan',
  running: 'cyan',
  retrying: 'yellow',
  completed: 'green',
  dead: 'red',
  cancelled: 'yellow',
  expired: 'yellow',
}

/** @param width Spaces are added up to it; they stay outside the colour. */
export function paintState(state: TaskState, colors: Colors, width: number = 0): string {
  // A newer broker may have states that this program does not know.
  const paint = PAINT_BY_STATE[state] as Paint | undefined
  const padding = ' '.repeat(Math.max(0, width - state.length))
  return (paint === undefined ? state : colors[paint](state)) + padding
}
