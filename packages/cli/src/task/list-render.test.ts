// Tasks for people, one a line.

import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { aView } from '../../test/admin.ts'
import { aRow, MADE_AT_MS, TASK_ID } from '../../test/builders.ts'
import { renderTasks } from './list-render.ts'

describe('renderTasks', () => {
  it('is absolute and plain in a pipe', () => {
    const row = aRow({ state: 'dead', endedAtMs: MADE_AT_MS + 60_000, worker: 'w1' })

    expect(renderTasks([row], aView()).split('\n')[1]).toBe(
      `${TASK_ID}  mail   welcome  dead        128        1  2026-11-20T09:58:00.000Z  2026-11-20T09:59:00.000Z  w1`,
    )
  })

  it('is relative and in colours on a screen', () => {
    const view = aView({ isScreen: true, width: 200, colors: picocolors.createColors(true) })
    const rows = [aRow({ dueAtMs: MADE_AT_MS + 180_000 }), aRow({ state: 'dead' })]

    const text = renderTasks(rows, view)

    expect(text).toContain('│ 2m ago  │ in 1m        │')
    expect(text).toContain('\u001b[31mdead\u001b[39m')
  })

  it('shows states of a newer broker as they are', () => {
    const row = aRow({ state: 'blocked' as 'queued' })

    expect(renderTasks([row], aView())).toContain('  blocked  ')
  })

  it('is empty for no tasks', () => {
    expect(renderTasks([], aView())).toBe('')
  })
})
