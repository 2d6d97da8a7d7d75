// Reports about stores and backups, for people.

import { showCount, showNumber } from '../count.ts'
import { showMoment } from '../moment.ts'
import { printable } from '../printable.ts'
import { type Cells, renderFields, renderTable, type View } from '../table.ts'
import type { BackupReport, CheckReport, RestoreReport, SalvageReport } from './store-report.ts'
import type { Finding } from './upkeep.ts'

/** Findings in the order in which they were found, then how many more there were. */
function renderFindings(
  findings: readonly Finding[],
  counts: Readonly<Record<string, number>>,
  view: View,
): string {
  const { colors } = view
  const lines = findings.flatMap(({ code, key, what, advice }) => [
    `${colors.yellow(code)}  ${printable(what)}`,
    ...(key === undefined ? [] : [`  key   ${printable(key)}`]),
    `  to do ${printable(advice)}`,
  ])
  for (const [code, count] of Object.entries(counts)) {
    const told = findings.filter((finding) => finding.code === code).length
    if (count > told) lines.push(`${colors.yellow(code)}  ${showNumber(count - told)} more`)
  }
  return lines.join('\n')
}

export function renderCheck(report: CheckReport, findings: readonly Finding[], view: View): string {
  const { colors } = view
  const { isSound, storeId, epoch, lsn, records } = report
  const verdict = isSound ? colors.green('sound') : colors.red('not sound')
  return joined([
    renderFindings(findings, report.findings, view),
    renderFields(
      [
        ['store', `${printable(report.directory)} is ${verdict}`],
        ['id', storeId],
        ['commits', lsn === undefined ? undefined : `up to ${lsn}, epoch ${epoch}`],
        ['records', recordsText(records)],
        ['findings', showNumber(sumOf(report.findings))],
      ],
      view,
    ),
    renderQueues(report, view),
  ])
}

export function renderSalvage(
  report: SalvageReport,
  findings: readonly Finding[],
  view: View,
): string {
  const how =
    report.opened === 'repaired' ? 'LevelDB was repaired on a copy' : 'LevelDB opened as it was'
  return joined([
    renderFindings(findings, report.findings, view),
    renderFields(
      [
        ['salvaged', `${printable(report.directory)} into ${printable(report.target)}`],
        ['id', report.storeId],
        ['commits', `up to ${report.lsn}, epoch ${report.epoch}`],
        ['opened', how],
        ['kept', recordsText(report.kept)],
        ['findings', showNumber(sumOf(report.findings))],
      ],
      view,
    ),
  ])
}

export function renderBackup({ file, bytes, header, footer }: BackupReport, view: View): string {
  return renderFields(
    [
      ['backup', `${printable(file)}, ${showCount(bytes, 'byte')}, every checksum fits`],
      ['store', header.storeId],
      ['made', `${showMoment(header.atMs, view.nowMs)} by tq ${printable(header.version)}`],
      ['commits', `up to ${footer.lsn}, epoch ${footer.epoch}`],
      ['records', recordsText(footer.entries)],
    ],
    view,
  )
}

export function renderRestore(report: RestoreReport, view: View): string {
  return renderFields(
    [
      ['restored', `${printable(report.file)} into ${printable(report.directory)}`],
      ['id', report.storeId],
      ['commits', `up to ${report.lsn}, epoch ${report.epoch}`],
      ['records', recordsText(report.records)],
      ['next', `start a broker with dataDir ${printable(report.directory)}`],
    ],
    view,
  )
}

function renderQueues({ queues }: CheckReport, view: View): string {
  const rows = Object.entries(queues).map(([queue, counts]): Cells => {
    const states = Object.entries(counts).map(([state, count]) => `${state} ${showNumber(count)}`)
    return [printable(queue), states.join(', ')]
  })
  return rows.length === 0 ? '' : renderTable([{ head: 'queue' }, { head: 'tasks' }], rows, view)
}

function recordsText(records: Readonly<Record<string, number>>): string {
  const parts = Object.entries(records).map(([family, count]) => `${family} ${showNumber(count)}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n')
}
