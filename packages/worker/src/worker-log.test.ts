// What a worker logs: one event a line, never a payload.

import type { WorkerEvent } from '@tq/client'
import { TqError } from '@tq/client'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { createWorkerLog, logWorkerEvent } from './worker-log.ts'

function linesOf(event: WorkerEvent): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  const stream = { write: (line: string) => lines.push(JSON.parse(line) as never) }
  logWorkerEvent(
    pino({ level: 'debug', formatters: { level: (label) => ({ level: label }) } }, stream),
    event,
  )
  return lines
}

const task = { id: 'id-1', queue: 'mail', type: 'send', attempt: 2, payload: 'secret' } as never

describe('worker log', () => {
  it('names a task without its payload', () => {
    const [line] = linesOf({ kind: 'task-completed', task, ms: 5 })

    expect(line).toMatchObject({
      level: 'debug',
      event: 'task-completed',
      taskId: 'id-1',
      attempt: 2,
    })
    expect(JSON.stringify(line)).not.toContain('secret')
  })

  it('warns of what is not normal, with code and text', () => {
    const error = new TqError('FORBIDDEN', 'not yours')
    const [line] = linesOf({ kind: 'claim-refused', error })

    expect(line).toMatchObject({
      level: 'warn',
      error: { code: 'FORBIDDEN', message: 'not yours' },
    })
  })

  it('tells of the ordinary at info', () => {
    expect(linesOf({ kind: 'registered' })[0]).toMatchObject({ level: 'info', event: 'registered' })
  })

  it('makes a logger of the level that was asked', () => {
    expect(createWorkerLog('warn', 'w').isLevelEnabled('info')).toBe(false)
  })
})
