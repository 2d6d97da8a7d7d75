// Tables and lists of fields: with borders on a screen, plain columns in a pipe.

import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import type { Colors } from './terminal.ts'

/** How things are to look: what pure rendering has to know of a terminal, and the time. */
export interface View {
  readonly isScreen: boolean
  /** Columns of the screen. */
  readonly width: number
  readonly colors: Colors
  /** What relative times are relative to. */
  readonly nowMs: number
}

export interface Column {
  readonly head: string
  readonly align?: 'right'
}

export type Cells = readonly string[]

const PLAIN = {
  style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  chars: {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  },
}
const BORDERED = { style: { head: [], border: [], compact: true } }

/** Rows under their headings. Ids must stay whole, so nothing is cut: a wide table has no borders. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly Cells[],
  view: View,
): string {
  const bordered = view.isScreen ? tableText(columns, rows, { view, look: BORDERED }) : undefined
  if (bordered !== undefined && widthOf(bordered) <= view.width) return bordered
  return tableText(columns, rows, { view, look: PLAIN })
}

/** Names and values, one a line; values that are undefined are left out. */
export function renderFields(
  fields: readonly (readonly [name: string, value: string | undefined])[],
  view: View,
): string {
  const shown = fields.filter((field): field is [string, string] => field[1] !== undefined)
  const nameWidth = Math.max(0, ...shown.map(([name]) => name.length))
  return shown
    .map(([name, value]) => {
      const indented = value.replaceAll('\n', `\n${' '.repeat(nameWidth + 2)}`)
      return `${view.colors.dim(name.padEnd(nameWidth))}  ${indented}`
    })
    .join('\n')
}

function tableText(
  columns: readonly Column[],
  rows: readonly Cells[],
  how: { readonly view: View; readonly look: typeof PLAIN | typeof BORDERED },
): string {
  const table = new Table({
    head: columns.map((column) => how.view.colors.bold(column.head)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    ...how.look,
  })
  for (const row of rows) table.push([...row])
  const lines = table.toString().split('\n')
  return lines.map((line) => line.trimEnd()).join('\n')
}

function widthOf(text: string): number {
  const lines = stripVTControlCharacters(text).split('\n')
  return Math.max(...lines.map((line) => line.length))
}
