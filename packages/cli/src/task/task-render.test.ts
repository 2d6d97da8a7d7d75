// A task for people.

import { encodePayload } from '@tq/client'
import { describe, expect, it } from 'vitest'
import { aView } from '../../test/admin.ts'
import { aTask, MADE_AT_MS, TASK_ID } from '../../test/builders.ts'
import { endLine } from './task-end.ts'
import { renderTask } from './task-render.ts'

describe('renderTask', () => {
  it('shows a waiting task in a few lines', () => {
    expect(renderTask(aTask({ dueAtMs: MADE_AT_MS + 180_000 }), aView())).toBe(
      [
        `task      ${TASK_ID}`,
        'queue     mail',
        'type      welcome',
        'state     queued',
        'attempt   1 (0 of 5 failures, 0 of 3 losses)',
        'priority  128',
        'created   2026-11-20T09:58:00.000Z (2m ago)',
        'due       2026-11-20T10:01:00.000Z (in 1m)',
        'timeout   1h an attempt',
        'payload   1 byte; --payload shows it',
      ].join('\n'),
    )
  })

  it('shows all that was asked of it', () => {
    const text = renderTask(
      aTask({
        expiresAtMs: MADE_AT_MS,
        idempotencyKey: 'k\u0007',
        requires: { gpu: true, zone: 'north' },
        headers: { a: '1', b: 'two\nlines' },
        trace: { traceparent: '00-ab' },
        generation: 2,
        payload: encodePayload([1]),
      }),
      aView(),
    )

    expect(text).toContain('redriven 2 times')
    expect(text).toMatch(/^expires +2026-11-20T09:58:00.000Z \(2m ago\)$/m)
    expect(text).toMatch(/^key +k\\u0007$/m)
    expect(text).toMatch(/^requires +gpu=true zone=north$/m)
    expect(text).toMatch(/^headers +a=1\n +b=two\\nlines$/m)
    expect(text).toMatch(/^trace +00-ab$/m)
    expect(text).toMatch(/^payload +\[\n +1\n +\]$/m)
  })

  it('shows the lease and the progress of a held task', () => {
    const lease = {
      session: '2eb2',
      worker: 'w1',
      token: 4_294_967_297,
      remainingMs: 12_300,
      assignedAtMs: MADE_AT_MS,
      startedAtMs: MADE_AT_MS + 1_000,
      percent: 40,
      note: 'half\u001b[0m',
    }
    const text = renderTask(aTask({ state: 'running', lease, cancelRequested: true }), aView())

    expect(text).toMatch(/^state +running, its cancel was requested$/m)
    expect(text).toMatch(/^held by +w1 \(session 2eb2\)$/m)
    expect(text).toMatch(/^lease +12s left, token 4294967297$/m)
    expect(text).toMatch(/^started +2026-11-20T09:58:01.000Z \(1m 59s ago\)$/m)
    expect(text).toMatch(/^progress +40 % half\\u001b\[0m$/m)
  })

  it('does without what a prefetched task has not yet', () => {
    const lease = {
      session: '2eb2',
      worker: 'w1',
      token: 1,
      remainingMs: 1,
      assignedAtMs: MADE_AT_MS,
    }
    const text = renderTask(aTask({ state: 'assigned', lease }), aView())

    expect(text).not.toMatch(/^(started|progress)/m)
  })

  it('shows how a task ended', () => {
    const error = { message: 'no\naddress', type: 'TypeError', stack: 'TypeError: no\n  at x.ts:1' }
    const end = { atMs: MADE_AT_MS + 60_000, reason: 'attempts_exhausted', error } as const
    const text = renderTask(aTask({ state: 'dead', end: { ...end, note: 'noted' } }), aView())

    expect(text).toMatch(/^ended +2026-11-20T09:59:00.000Z \(1m ago\), attempts_exhausted$/m)
    expect(text).toMatch(/^note +noted$/m)
    expect(text).toMatch(/^error +TypeError: no\\naddress$/m)
    expect(text).toMatch(/^stack +TypeError: no\n +at x\.ts:1$/m)
  })

  it('shows the result', () => {
    const end = { atMs: MADE_AT_MS, reason: 'completed', result: encodePayload('hi') } as const
    const text = renderTask(aTask({ state: 'completed', end }), aView())

    expect(text).toMatch(/^result +"hi"$/m)
    expect(text).not.toMatch(/^(note|error|stack)/m)
  })

  it('shows the history below', () => {
    const transitions = [{ state: 'queued', reason: 'enqueued', atMs: MADE_AT_MS }] as const
    const history = [{ attempt: 1, generation: 0, transitions }]
    const text = renderTask(aTask({ history }), aView())

    expect(text).toContain('\n\nhistory\nattempt 1\n')
  })

  it('has no history to show of a new task', () => {
    expect(renderTask(aTask({ history: [] }), aView())).not.toContain('history')
  })
})

describe('endLine', () => {
  const atMs = MADE_AT_MS + 90_000

  it('tells the state and the time', () => {
    const end = { atMs, reason: 'completed' } as const

    expect(endLine(aTask({ state: 'completed', end }))).toBe(
      `task ${TASK_ID} is completed after 1m 30s`,
    )
  })

  it('tells the cause', () => {
    const end = { atMs, reason: 'losses_exhausted', error: { message: 'gone' } } as const

    expect(endLine(aTask({ state: 'dead', end }))).toBe(
      `task ${TASK_ID} is dead (losses_exhausted) after 1m 30s: gone`,
    )
  })

  it('does with what there is', () => {
    expect(endLine(aTask({ state: 'expired' }))).toBe(`task ${TASK_ID} is expired`)
  })
})
