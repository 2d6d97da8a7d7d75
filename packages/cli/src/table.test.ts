// Tables and lists of fields.

import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { aView } from '../test/admin.ts'
import { renderFields, renderTable } from './table.ts'

const COLUMNS = [{ head: 'name' }, { head: 'count', align: 'right' }] as const
const ROWS = [
  ['a', '1'],
  ['long name', '10,000'],
]

describe('renderTable', () => {
  it('has borders on a screen', () => {
    expect(renderTable(COLUMNS, ROWS, aView({ isScreen: true }))).toBe(
      [
        '┌───────────┬────────┐',
        '│ name      │  count │',
        '├───────────┼────────┤',
        '│ a         │      1 │',
        '│ long name │ 10,000 │',
        '└───────────┴────────┘',
      ].join('\n'),
    )
  })

  it('has plain columns in a pipe', () => {
    expect(renderTable(COLUMNS, ROWS, aView())).toBe(
      ['name        count', 'a               1', 'long name  10,000'].join('\n'),
    )
  })

  it('drops its borders rather than a character on a screen that is too narrow', () => {
    const view = aView({ isScreen: true, width: 21 })

    expect(renderTable(COLUMNS, ROWS, view)).not.toContain('│')
  })

  it('does not take colours for width', () => {
    const view = aView({ isScreen: true, width: 22, colors: picocolors.createColors(true) })

    const text = renderTable(COLUMNS, [['\u001b[31ma\u001b[39m', '1'], ...ROWS], view)

    expect(text).toContain('│ \u001b[31ma\u001b[39m         │      1 │')
  })
})

describe('renderFields', () => {
  it('aligns the values, their later lines too, and leaves out what is undefined', () => {
    const text = renderFields(
      [
        ['id', '1'],
        ['nothing', undefined],
        ['note', 'one\ntwo'],
      ],
      aView(),
    )

    expect(text).toBe('id    1\nnote  one\n      two')
  })

  it('is empty without fields', () => {
    expect(renderFields([['nothing', undefined]], aView())).toBe('')
  })
})
