// Reports of starts for people: a headline and a table of steps each.

import type { StartupReport, StartupStep } from '@tq/core'
import { showNumber } from '../count.ts'
import { showMoment } from '../moment.ts'
import { printable } from '../printable.ts'
import { type Cells, type Column, renderTable, type View } from '../table.ts'

const COLUMNS: readonly Column[] = [
  { head: 'step' },
  { head: 'ms', align: 'right' },
  { head: 'counts' },
]

/** In the order in which the broker tells them. */
export function renderReports(reports: readonly StartupReport[], view: View): string {
  return reports.map((report) => renderReport(report, view)).join('\n\n')
}

function renderReport(report: StartupReport, view: View): string {
  const { colors } = view
  const lines = [colors.bold(headline(report, view))]
  if (report.abortedBefore !== undefined) {
    const step = printable(report.abortedBefore)
    lines.push(colors.yellow(`the start before it was cut off in the step ${step}`))
  }
  lines.push(renderTable(COLUMNS, report.steps.map(cellsOf), view))
  for (const warning of report.warnings) lines.push(colors.yellow(`warning: ${printable(warning)}`))
  return lines.join('\n')
}

function headline(report: StartupReport, view: View): string {
  const { startedAtMs, totalMs, epoch, lsn } = report
  const moment = showMoment(startedAtMs, view.nowMs)
  return `${moment}: ${msText(totalMs)} ms, epoch ${epoch}, LSN ${lsn}`
}

function cellsOf(step: StartupStep): Cells {
  const counts = Object.entries(step.counts).map(([name, count]) => `${name} ${showNumber(count)}`)
  return [printable(step.name), msText(step.ms), printable(counts.join(', ')) || '-']
}

function msText(ms: number): string {
  return ms.toFixed(1)
}
