// Results as tables for people: one for each scenario, a line for each variant.

import { runsOf } from '../figure/runs.ts'
import { type ComparedGroup, differences } from './compared.ts'
import { figuresOf, groupsOf, type Result, type ResultFile, valuesOf } from './result-file.ts'

/** All tables of a run, with what it was measured on. */
export function tablesOf({ machine, settings, results }: ResultFile): string {
  const facts = Object.entries({ ...machine, ...settings })
    .map(([name, value]) => `${name}: ${String(value ?? 'the default')}`)
    .join('\n')
  const scenarios = [...new Set(results.map(({ scenario }) => scenario))]
  const tables = scenarios.map((name) =>
    scenarioTable(
      name,
      results.filter(({ scenario }) => scenario === name),
    ),
  )
  return [facts, ...tables].join('\n\n')
}

/** Figures go downwards, for there are many; variants go across, for those are what is compared. */
function scenarioTable(name: string, results: readonly Result[]): string {
  const groups = groupsOf(results)
  const isOne = new Set(groups.map(({ broker }) => broker)).size === 1
  const titles = groups.map(({ variant, broker }) => (isOne ? variant : `${variant}, ${broker}`))
  const tasks = [...new Set(results.map((result) => result.tasks))].map(rounded).join(' or ')
  const rows = figuresOf(results).map((figure) => [
    figure,
    ...groups.map((group) => cell(valuesOf(group.results, figure))),
  ])
  return markdown([`${name}, ${tasks} tasks`, ...titles], rows)
}

/** Two files, or two brokers of one, figure by figure. */
export function comparisonTables(compared: readonly ComparedGroup[]): string {
  return compared
    .map(({ scenario, variant, figures }) => {
      const rows = figures.map(({ figure, a, b, verdict }) => [figure, cell(a), cell(b), verdict])
      return markdown([`${scenario}: ${variant}`, 'A', 'B', 'B against A'], rows)
    })
    .join('\n\n')
}

/** What differs between two files beside the figures, and may be why those do. */
export function conditionsTable(a: ResultFile, b: ResultFile): string {
  const rows = differences({ ...a.machine, ...a.settings }, { ...b.machine, ...b.settings })
  return rows.length === 0 ? '' : markdown(['conditions', 'A', 'B'], rows)
}

/** `median`, or `median (min to max)` of several. */
function cell(values: readonly number[]): string {
  if (values.length === 0) return '-'
  const { median, min, max, count } = runsOf(values)
  if (count === 1) return rounded(median)
  return `${rounded(median)} (${rounded(min)} to ${rounded(max)})`
}

export function rounded(value: number): string {
  const size = Math.abs(value)
  if (size >= 1_000) return Math.round(value).toLocaleString('en')
  return value.toFixed(size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3)
}

/** A table whose columns line up; every renderer of Markdown reads it as well. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
