// Queues for people.

import { describe, expect, it } from 'vitest'
import { aView } from '../../test/admin.ts'
import { aQueue, someSettings } from '../../test/builders.ts'
import { brokerLine, renderQueue, renderQueues } from './queue-render.ts'

describe('renderQueues', () => {
  it('has a line for each', () => {
    const queues = [
      aQueue({ queued: 12, oldestReadyAgeMs: 125_000, dead: 3, waitingClaims: 2 }),
      aQueue({ queue: 'video', paused: true, kept: null, dead: null }),
    ]

    expect(renderQueues(queues, aView())).toBe(
      [
        'queue  gate    scheduled  queued  assigned  running  retrying  dead  kept  oldest  claims',
        'mail   open            0      12         0        0         0     3     0   2m 5s       2',
        'video  paused          0       0         0        0         0     ?     ?       -       0',
      ].join('\n'),
    )
  })

  it('is empty for no queues', () => {
    expect(renderQueues([], aView())).toBe('')
  })
})

describe('renderQueue', () => {
  it('tells all about one', () => {
    const queue = aQueue({
      paused: true,
      pauseReason: 'down\u0007',
      queued: 12_000,
      oldestReadyAgeMs: 500,
      settings: someSettings(),
    })
    const text = renderQueue(queue, aView())

    expect(text).toMatch(/^gate +paused: down\\u0007$/m)
    expect(text).toMatch(/^queued +12,000, the oldest for 500ms$/m)
    expect(text).toMatch(/^order +aging: a level of priority is worth 1m of waiting$/m)
    expect(text).toMatch(/^retry +exponential: 5s × 2ⁿ, at most 1h, ±10 %$/m)
    expect(text).toMatch(/^keep dead +30d, at most 100,000$/m)
    expect(text).toMatch(/^timeouts +the same for all types$/m)
  })

  it('tells settings of the other kinds', () => {
    const { retry } = someSettings()
    const settings = someSettings({
      order: 'strict',
      retry: { ...retry, kind: 'fixed', notRetryable: ['TypeError'] },
      retentionMs: 0,
      timeouts: { '*': { kind: 'fixed', timeoutMs: 5 } as never },
    })
    const text = renderQueue(aQueue({ paused: true, settings }), aView())

    expect(text).toMatch(/^gate +paused$/m)
    expect(text).toMatch(/^order +strict: by priority/m)
    expect(text).toMatch(/^retry +fixed: 5s, at most 1h, ±10 %; never after TypeError$/m)
    expect(text).toMatch(/^keep ended +none$/m)
    expect(text).toMatch(/^timeouts +\*: \{/m)
  })

  it('does without settings', () => {
    const text = renderQueue(aQueue(), aView())

    expect(text).toMatch(/^gate +open$/m)
    expect(text).not.toContain('settings')
  })
})

describe('brokerLine', () => {
  it('counts in words', () => {
    const broker = {
      version: '0.1.0',
      epoch: 2,
      lsn: 7,
      uptimeMs: 3_600_000,
      tasks: 12_000,
      workers: 1,
      connections: 2,
    }

    expect(brokerLine(broker)).toBe(
      'broker 0.1.0, up 1h, epoch 2, LSN 7: 12,000 live tasks, 1 worker, 2 connections',
    )
  })
})
