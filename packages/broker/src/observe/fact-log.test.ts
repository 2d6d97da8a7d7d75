// Which facts make a line, and at which level.

import { describe, expect, it } from 'vitest'
import { FACT_KINDS, type Fact, type FactKind } from '../engine/fact.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../engine/queue.ts'
import { logFact } from './fact-log.ts'
import { createLogger } from './log.ts'

const by = { atMs: 0, actor: 'web' }

function linesOf(fact: Fact, level: 'info' | 'debug'): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  const destination = {
    write: (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>),
  }
  const log = createLogger({ level, destination })
  logFact(log, fact, {
    task: () => ({ task: 'id', queue: 'mail', type: 'send' }),
    queue: (queueNumber) => `queue ${queueNumber}`,
    worker: (session) => `worker ${session}`,
  })
  return lines
}

describe('the log of facts', () => {
  it('tells at info of queues, workers and dead tasks', () => {
    const settings = DEFAULT_QUEUE_SETTINGS
    const worker = { name: 'w1', version: '1', labels: {}, slots: 4 }
    const id = new Uint8Array(16)
    const ended = { result: undefined, error: { message: 'm', type: 'T' }, note: undefined }
    const facts: Fact[] = [
      { kind: 'queue-created', number: 1, name: 'mail', settings, ...by },
      { kind: 'queue-changed', number: 1, settings, paused: true, pauseReason: 'r', ...by },
      { kind: 'session-opened', id, principal: 'web', worker, tickMs: 0, atMs: 0 },
      { kind: 'worker-lost', session: 1, leases: 2, atMs: 0 },
      {
        kind: 'task-ended',
        task: 1,
        state: 'dead',
        reason: 'attempts_exhausted',
        ...ended,
        attempt: undefined,
        counts: 'failure',
        ...by,
      },
    ]
    const lines = facts.flatMap((fact) => linesOf(fact, 'info'))

    expect(lines.map(({ event, level }) => [event, level])).toEqual([
      ['queue-created', 'info'],
      ['queue-changed', 'info'],
      ['worker-registered', 'info'],
      ['worker-lost', 'warn'],
      ['task-dead', 'info'],
    ])
    expect(lines[1]).toMatchObject({ queue: 'queue 1', paused: true, actor: 'web' })
    expect(lines[3]).toMatchObject({ worker: 'worker 1', leases: 2 })
    expect(lines.at(-1)).toMatchObject({ task: 'id', queue: 'mail', type: 'send', error: 'T' })
  })

  it('tells at debug of every transition of a task, with its reason', () => {
    const fact = { kind: 'task-released', task: 1, reason: 'worker_lost' } as Fact

    expect(linesOf(fact, 'info')).toEqual([])
    expect(linesOf(fact, 'debug')).toMatchObject([
      { event: 'task-changed', fact: 'task-released', task: 'id', reason: 'worker_lost' },
    ])
  })

  it('tells of no heartbeat, and of no session that is no worker', () => {
    const quiet: FactKind[] = [
      'lease-renewed',
      'leases-extended',
      'session-seen',
      'session-closed',
      'task-progressed',
      'clock-ticked',
      'session-opened',
    ]
    for (const kind of quiet) expect(linesOf({ kind } as Fact, 'debug'), kind).toEqual([])
  })

  it('knows every kind of fact', () => {
    for (const kind of Object.keys(FACT_KINDS) as FactKind[]) {
      expect(() => linesOf({ kind } as Fact, 'debug'), kind).not.toThrow()
    }
  })
})
