// Reports about stores and backups, for people.

import { showCount, showNumber } from '../count.ts'
import { showMoment } from '../moment.ts'
import { printable } from '../printable.ts'
import { type Cells, renderFields, renderTable, type View } from '../table.ts'
import type { BackupReport, CheckReport, RestoreReport, SalvageReport } from './store-report.ts'
import type { Finding } from './upkeep.ts'

/** Findings by their kind, each with what to do, then how many more there are. */
function renderFindings(
  findings: readonly Finding[],
  counts: Readonly<Record<string, number>>,
  view: View,
): string {
  const { colors } = view
  const kinds = Object.entries(counts).flatMap(([code, count]) => {
    const listed = findings.filter((finding) => finding.code === code)
    const more = count - listed.length
    return [
      `${colors.yellow(code)}  ${showCount(count, 'finding')}`,
      ...listed.flatMap((finding, index) => findingLines(finding, listed[index + 1])),
      ...(more === 0 ? [] : [`  and ${showNumber(more)} more: --all lists them`]),
    ]
  })
  return kinds.join('\n')
}

/** What is to be done about several in a row stands once, below them. */
function findingLines(
  { key, what, advice }: Finding,
  next: Finding | undefined,
): readonly string[] {
  return [
    `  ${printable(what)}`,
    ...(key === undefined ? [] : [`    key ${printable(key)}`]),
    ...(next?.advice === advice ? [] : [`  to do: ${printable(advice)}`]),
  ]
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
        ['start', isSound ? undefined : startText(report)],
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
        ['live again', livesAgainText(report)],
        ['findings', showNumber(sumOf(report.findings))],
        [
          'tokens',
          `from epoch ${report.epoch} on; another salvage of the same store needs --epoch-min, above the last epoch of this one`,
        ],
        ['next', `start a broker with dataDir ${printable(report.target)}`],
      ],
      view,
    ),
  ])
}

function livesAgainText({ revived, mayHaveEnded }: SalvageReport): string | undefined {
  if (revived + mayHaveEnded === 0) return undefined
  const parts = [
    ...(revived === 0 ? [] : [`${showCount(revived, 'task')} that had ended`]),
    ...(mayHaveEnded === 0 ? [] : [`${showCount(mayHaveEnded, 'task')} that may have ended`]),
  ]
  const they = revived + mayHaveEnded === 1 ? 'it' : 'they'
  return `${parts.join(', and ')}: ${they} will run again`
}

function startText({ starts, advice }: CheckReport): string {
  if (starts) return 'a broker starts on it; what each finding costs is said with it'
  return printable(advice ?? 'no broker starts on it')
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
