// One run of one phase by one peer, and what it showed.

import type { PhaseName } from './phase-name.ts'
import type { LedgerVerdict } from './task-ledger.ts'

export interface Sample {
  readonly peer: string
  readonly phase: PhaseName
  readonly round: number
  readonly figures: Readonly<Partial<Record<FigureName, number>>>
  /** CPU that other programs took meanwhile, in percent of one core. */
  readonly otherPercent: number
  /** The first try was disturbed; this is the quieter one of two. */
  readonly isRepeated: boolean
  /** More was taken by others than allowed. */
  readonly isDisturbed: boolean
}

export const FIGURES = {
  tasksPerSecond: 'tasks/s',
  serverUsPerTask: 'server CPU, µs a task',
  clientUsPerTask: 'client CPU, µs a task',
  startP50Ms: 'to the handler, p50 ms',
  startP99Ms: 'to the handler, p99 ms',
  ackP50Ms: 'to the acknowledgement, p50 ms',
  ackP99Ms: 'to the acknowledgement, p99 ms',
} as const

export type FigureName = keyof typeof FIGURES

/** A run that lost tasks, or had some twice, has no speed. */
export class VoidRunError extends Error {
  constructor(where: string, verdict: LedgerVerdict, left: number) {
    const { lost, duplicated, strange } = verdict
    super(
      `${where}: the run is void: ${lost} tasks lost, ${duplicated} duplicated, ` +
        `${strange} of other numbers, ${left} left in the queue`,
    )
    this.name = 'VoidRunError'
  }
}
