// The plots of a run: medians over the variants of a scenario, or the samples of a long measurement.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { medianOf } from '../figure/runs.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { drawPlot, type PlotLine } from './plot.ts'
import type { PlotPlan } from './plot-plan.ts'
import { groupsOf, type Result, valuesOf } from './result-file.ts'

/** Draws what these results allow. Gives the paths of the files. */
export function writePlots(
  directory: string,
  results: readonly Result[],
  scenarios: Readonly<Record<string, Scenario>>,
): readonly string[] {
  mkdirSync(directory, { recursive: true })
  return Object.entries(scenarios).flatMap(([name, scenario]) => {
    const own = results.filter((result) => result.scenario === name)
    return (scenario.plots ?? []).flatMap((plan) => {
      const lines = linesOf(plan, own).filter((line) => line.points.length > 0)
      if (lines.length === 0) return []
      const path = join(directory, `${plan.name}.svg`)
      const { title, x, yLabel } = plan
      writeFileSync(path, drawPlot({ title, x, yLabel, lines }))
      return [path]
    })
  })
}

export function linesOf(plan: PlotPlan, results: readonly Result[]): readonly PlotLine[] {
  const brokers = [...new Set(results.map(({ broker }) => broker))]
  return brokers.flatMap((broker) => {
    const own = results.filter((result) => result.broker === broker)
    return Object.entries(plan.lines).map(([figure, name]) => ({
      name: brokers.length === 1 ? name : `${name}, ${broker}`,
      points:
        plan.over === undefined ? overVariants(own, figure) : overSamples(own, plan.over, figure),
    }))
  })
}

function overVariants(results: readonly Result[], figure: string): PlotLine['points'] {
  return groupsOf(results)
    .flatMap(({ x, results: rounds }) => {
      const y = medianOf(valuesOf(rounds, figure))
      return x === undefined || Number.isNaN(y) ? [] : [{ x, y }]
    })
    .toSorted((one, other) => one.x - other.x)
}

/** Of the first round alone: the minutes of several do not lie on one another. */
function overSamples(results: readonly Result[], over: string, figure: string): PlotLine['points'] {
  const samples = results[0]?.samples ?? []
  return samples.flatMap((sample) => {
    const [x, y] = [sample[over], sample[figure]]
    return x === undefined || y === undefined ? [] : [{ x, y }]
  })
}
