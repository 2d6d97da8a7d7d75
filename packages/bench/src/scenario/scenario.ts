// What a scenario is: variants of the settings, the load they are put to, and what is measured of it.

import type { PlotPlan } from '../report/plot-plan.ts'
import type { LoadSettings } from './load-settings.ts'
import type { Stage } from './stage.ts'

/** Figures by name, with their unit at its end: `tasksPerSecond`, `startP99Ms`, `brokerUsPerTask`. */
export type Figures = Readonly<Record<string, number>>

/** What one measurement gave. */
export interface Measured {
  /** How many tasks, if not as many as the settings say. */
  readonly tasks?: number
  readonly figures: Figures
  /** Samples over its time, if it was watched while it ran. */
  readonly samples?: readonly Figures[]
}

export interface Variant {
  readonly name: string
  /** Where it stands on the axis of a plot. */
  readonly x?: number
  readonly change?: Partial<LoadSettings>
}

export interface Scenario {
  /** One line for the help. */
  readonly summary: string
  /** Belongs to what `make bench` measures if nothing is named: a minute or two in all. */
  readonly isQuick: boolean
  readonly variants: (settings: LoadSettings) => readonly Variant[]
  readonly measure: (stage: Stage) => Promise<Measured>
  readonly plots?: readonly PlotPlan[]
}
