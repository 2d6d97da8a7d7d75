// Which figures of a scenario are drawn, over what.

export interface PlotPlan {
  /** Name of the file, without its ending. */
  readonly name: string
  readonly title: string
  readonly x: { readonly label: string; readonly isLogarithmic: boolean }
  readonly yLabel: string
  /** Names of figures, and what their lines are called. */
  readonly lines: Readonly<Record<string, string>>
  /** Drawn from the samples of each measurement, over this figure of theirs. */
  readonly over?: string
}
