// What happened to a task, as a timeline.

import type { HistoryChapter } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { aView } from '../../test/admin.ts'
import { MADE_AT_MS } from '../../test/builders.ts'
import { renderHistory } from './task-history.ts'

describe('renderHistory', () => {
  it('has a line for each attempt and each change, with the time between them', () => {
    const text = renderHistory(
      [
        chapter({
          worker: 'w1',
          token: 17,
          transitions: [
            { state: 'assigned', reason: 'claimed', atMs: MADE_AT_MS },
            { state: 'running', reason: 'started', atMs: MADE_AT_MS + 20 },
            { state: 'retrying', reason: 'failed', atMs: MADE_AT_MS + 2_020 },
          ],
          error: { message: 'no such thing', type: 'TypeError' },
        }),
        chapter({
          attempt: 2,
          transitions: [
            { state: 'queued', reason: 'due', atMs: MADE_AT_MS + 7_020 },
            { state: 'completed', reason: 'completed', atMs: MADE_AT_MS + 8_020 },
          ],
        }),
      ],
      aView(),
    )

    expect(text).toBe(
      [
        'attempt 1 by w1 (token 17)',
        '  2026-11-20T09:58:00.000Z            assigned   claimed',
        '  2026-11-20T09:58:00.020Z     +20ms  running    started',
        '  2026-11-20T09:58:02.020Z       +2s  retrying   failed',
        '    TypeError: no such thing',
        'attempt 2',
        '  2026-11-20T09:58:07.020Z       +5s  queued     due',
        '  2026-11-20T09:58:08.020Z       +1s  completed',
      ].join('\n'),
    )
  })

  it('tells generations apart, and says where attempts are missing', () => {
    const text = renderHistory(
      [
        chapter({}),
        chapter({ attempt: 9, error: { message: 'plain' } }),
        chapter({ generation: 1 }),
        chapter({ generation: 3 }),
      ],
      aView(),
    )

    expect(text.split('\n')).toEqual([
      'attempt 1',
      '… attempts in between are not kept',
      'attempt 9',
      '    plain',
      'attempt 1 after redrive 1',
      '… attempts in between are not kept',
      'attempt 1 after redrive 3',
    ])
  })
})

function chapter(fields: Partial<HistoryChapter>): HistoryChapter {
  return { attempt: 1, generation: 0, transitions: [], ...fields }
}
