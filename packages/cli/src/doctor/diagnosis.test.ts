// What the doctor says of each thing: well, worth a look, or wrong, and what to do then.

import type { BrokerHealth, BrokerStats, QueueStats } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { admin } from '../../test/admin.ts'
import { aQueue, aReport } from '../../test/builders.ts'
import { diagnose, type Examination, type Line, worstOf } from './diagnosis.ts'

const MIB = 2 ** 20
const HEALTH: BrokerHealth = {
  notReady: [],
  commitMsP50: 1,
  commitMsP99: 4,
  commitMsLimit: 2_000,
  freeBytes: 10_000 * MIB,
  freeBytesMin: 256 * MIB,
  journalBytes: MIB,
  journalBytesMax: 256 * MIB,
  loopDelayMsP99: 1,
  tasksMax: 1_000,
  connectionsMax: 100,
  sessions: 1,
  damagedRecords: 0,
  stalls: 0,
}
const BROKER: BrokerStats = {
  version: '0.1.0',
  epoch: 3,
  lsn: 100,
  uptimeMs: 60_000,
  tasks: 5,
  workers: 1,
  connections: 2,
  health: HEALTH,
}
const WELL: Examination = {
  queues: [],
  broker: BROKER,
  workers: [{ name: 'w1', slots: 4, leases: 2, health: 'ok' }],
  reports: [aReport()],
  version: '0.1.0',
  roundTripMs: 2,
  skewMs: 3,
}

function waiting(queue: Partial<QueueStats>): Examination {
  const idle = { queued: 3, running: 0, assigned: 0, waitingClaims: 0, oldestReadyAgeMs: 120_000 }
  return { ...WELL, queues: [aQueue({ paused: false, dead: 0, ...idle, ...queue })] }
}

function sick(health: Partial<BrokerHealth>, broker: Partial<BrokerStats> = {}): Examination {
  return { ...WELL, broker: { ...BROKER, ...broker, health: { ...HEALTH, ...health } } }
}

function badLines(examination: Examination): readonly Line[] {
  return diagnose(examination).filter(({ verdict }) => verdict !== 'ok')
}

describe('the doctor', () => {
  it('finds nothing wrong with a broker that is well', () => {
    expect(badLines(WELL)).toEqual([])
    expect(worstOf(diagnose(WELL))).toBe('ok')
  })

  it('says of a broker that has just started what it cannot tell yet', () => {
    const { commitMsP50, commitMsP99, ...noCommits } = HEALTH
    const young = { ...BROKER, uptimeMs: 3_000, health: { ...noCommits, loopDelayMsP99: 900 } }
    const [queue] = waiting({}).queues
    const lines = diagnose({
      ...WELL,
      broker: young,
      workers: [],
      queues: queue === undefined ? [] : [queue],
    })

    const early = lines.filter(({ verdict }) => verdict === 'early')
    expect([commitMsP50, commitMsP99]).toBeDefined()
    expect(early.map(({ name }) => name)).toEqual([
      'commits',
      'event loop',
      'records',
      'workers',
      'waiting tasks',
      'retries',
    ])
    expect(early.every(({ what }) => what.endsWith(': too early to tell'))).toBe(true)
    expect(worstOf(lines)).toBe('early')
  })

  it('reports even of a broker that has just started what is wrong for sure', () => {
    const young = { ...BROKER, uptimeMs: 3_000 }
    const bad = { ...HEALTH, commitMsP99: 3_000, damagedRecords: 1 }

    const lines = badLines({ ...WELL, broker: { ...young, health: bad } })

    expect(lines.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name)).toEqual([
      'commits',
      'records',
    ])
  })

  it('says of a quiet broker that it knows nothing of commits', () => {
    const { commitMsP50, commitMsP99, ...quiet } = HEALTH
    const lines = diagnose({ ...WELL, broker: { ...BROKER, health: quiet } })

    expect([commitMsP50, commitMsP99]).toBeDefined()
    expect(lines.find(({ name }) => name === 'commits')).toMatchObject({
      verdict: 'ok',
      what: expect.stringMatching(/^none since the start/) as string,
    })
  })

  it('names only commands that there are', async () => {
    const lines = [
      ...badLines(waiting({ queued: 0, dead: 2 })),
      ...badLines(waiting({ paused: true })),
      ...badLines(sick({ damagedRecords: 1 })),
    ]
    const named = lines.flatMap(({ advice = '' }) => advice.match(/tq-admin \w+ \w+/g) ?? [])

    expect(named).toHaveLength(4)
    for (const command of named) {
      const [, noun = '', verb = ''] = command.split(' ')
      const help = await admin([noun, verb, '--help'])
      expect(help.out).toMatch(new RegExp(`^Usage: tq-admin ${noun} ${verb} `))
    }
  })

  it('does without the figures of a broker that tells none', () => {
    const { health, ...broker } = BROKER

    expect(health).toBeDefined()
    expect(badLines({ ...WELL, broker })).toEqual([])
  })

  it.each<[string, Examination, string, string]>([
    ['a slow way', { ...WELL, roundTripMs: 400 }, 'reachable', 'warn'],
    ['another version', { ...WELL, version: '0.2.0' }, 'version', 'warn'],
    ['one that is not ready', sick({ notReady: ['the broker is stopping'] }), 'ready', 'fail'],
    ['slow commits', sick({ commitMsP99: 300 }), 'commits', 'warn'],
    ['commits beyond the limit', sick({ commitMsP99: 3_000 }), 'commits', 'fail'],
    ['little room on the disk', sick({ freeBytes: 400 * MIB }), 'disk', 'warn'],
    ['no room on the disk', sick({ freeBytes: 200 * MIB }), 'disk', 'fail'],
    ['a slow event loop', sick({ loopDelayMsP99: 80 }), 'event loop', 'warn'],
    ['a blocked event loop', sick({ loopDelayMsP99: 900 }), 'event loop', 'fail'],
    ['a process that stood still', sick({ stalls: 2 }), 'event loop', 'warn'],
    ['a clock that is off', { ...WELL, skewMs: -5_000 }, 'clock', 'warn'],
    ['a clock that is far off', { ...WELL, skewMs: 3_600_000 }, 'clock', 'fail'],
    [
      'a start that was cut off',
      { ...WELL, reports: [aReport({ abortedBefore: 'load-tasks' })] },
      'last start',
      'warn',
    ],
    ['damaged records', sick({ damagedRecords: 1 }), 'records', 'fail'],
    ['many tasks', sick({}, { tasks: 850 }), 'tasks', 'warn'],
    ['all tasks that it may hold', sick({}, { tasks: 1_000 }), 'tasks', 'fail'],
    ['many connections', sick({}, { connections: 85 }), 'connections', 'warn'],
    ['a journal that is not trimmed', sick({ journalBytes: 400 * MIB }), 'journal', 'warn'],
    ['no worker', { ...WELL, workers: [] }, 'workers', 'warn'],
    [
      'a late worker',
      { ...WELL, workers: [{ name: 'w1', slots: 1, leases: 0, health: 'late' }] },
      'workers',
      'warn',
    ],
    ['tasks that nobody claims', waiting({}), 'waiting tasks', 'warn'],
    [
      'tasks that no waiting worker may take',
      waiting({ waitingClaims: 2 }),
      'requirements',
      'warn',
    ],
    ['tasks in a paused queue', waiting({ paused: true }), 'paused queues', 'warn'],
    ['dead letters', waiting({ queued: 0, dead: 2 }), 'dead letters', 'warn'],
    [
      'a queue where most attempts fail',
      waiting({ queued: 0, failedTotal: 40, completedTotal: 10 }),
      'retries',
      'warn',
    ],
  ])('says of %s what to do', (_, examination, name, verdict) => {
    const lines = badLines(examination)

    expect(lines).toMatchObject([{ name, verdict, advice: expect.stringMatching(/\w/) as string }])
    expect(worstOf(lines)).toBe(verdict)
  })

  it('does not call a skew what the way alone explains', () => {
    const lines = badLines({ ...WELL, skewMs: 30_000, roundTripMs: 61_000 })

    expect(lines.map(({ name }) => name)).toEqual(['reachable'])
  })

  it('names few of many queues', () => {
    const queues = Array.from({ length: 9 }, (_, number) => {
      return aQueue({ queue: `q${number}`, paused: true, queued: 1, dead: 0 })
    })

    const [line] = badLines({ ...WELL, queues })

    expect(line?.what).toBe('tasks wait in q0 (1), q1 (1), q2 (1), q3 (1), q4 (1) and 4 more')
  })
})
