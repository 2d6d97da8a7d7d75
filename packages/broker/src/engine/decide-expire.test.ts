// What time brings: due tasks, times to live, deadlines, ended leases, dead workers.

import { limits, type HeldTask } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { anEngine, type EngineRig } from '../../test/engine-builder.ts'
import { accepted, aTask } from '../../test/task-builder.ts'
import { chancesFrom } from './chance.ts'
import { nextDue } from './decide-expire.ts'

describe('a scheduled task', () => {
  it('becomes ready at its due time by the wall clock, not before', () => {
    const rig = anEngine()
    const id = rig.add('mail', { delayMs: 1_000 })

    rig.pass(999).expire()
    expect(rig.stateOf(id)).toBe('scheduled')
    rig.pass(1).expire()

    expect(rig.stateOf(id)).toBe('queued')
    expect(rig.state.tasks.rankBaseMs(rig.row(id))).toBe(rig.wallMs)
    expect([...rig.state.woken]).toHaveLength(1)
  })

  it('does not care for the tick clock', () => {
    const rig = anEngine()
    const id = rig.add('mail', { delayMs: 1_000 })

    rig.tickMs += 1_000_000
    rig.expire()
    expect(rig.stateOf(id)).toBe('scheduled')
    rig.wallMs += 1_000
    rig.expire()

    expect(rig.stateOf(id)).toBe('queued')
  })

  it('waits longer if the wall clock steps back', () => {
    const rig = anEngine()
    const id = rig.add('mail', { delayMs: 1_000 })
    rig.wallMs -= 3_600_000
    rig.pass(3_600_000).expire()
    expect(rig.stateOf(id)).toBe('scheduled')

    rig.pass(1_000).expire()

    expect(rig.stateOf(id)).toBe('queued')
  })
})

describe('a retrying task', () => {
  it('becomes ready by the tick clock, whatever the wall clock does', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.fail([{ ...rig.leaseOne(), retryAfterMs: 1_000 }])

    rig.wallMs += 10 * 3_600_000
    rig.expire()
    expect(rig.stateOf(id)).toBe('retrying')
    rig.wallMs -= 20 * 3_600_000
    rig.tickMs += 1_000
    rig.expire()

    expect(rig.stateOf(id)).toBe('queued')
  })
})

describe('a time to live', () => {
  it('ends a task that waits, whether ready, scheduled or paused, but not one millisecond early', () => {
    const rig = anEngine()
    rig.pause('paused')
    const ids = [
      rig.add('mail', { ttlMs: 1_000 }),
      rig.add('mail', { ttlMs: 1_000, delayMs: 60_000 }),
      rig.add('paused', { ttlMs: 1_000 }),
    ]

    rig.pass(999).expire()
    expect(ids.map((id) => rig.stateOf(id))).toEqual(['queued', 'scheduled', 'queued'])
    rig.pass(1).expire()

    expect(ids.map((id) => rig.stateOf(id))).toEqual(['expired', 'expired', 'expired'])
    expect(rig.task(ids[0] as Uint8Array).end).toEqual({ reason: 'expired', atMs: rig.wallMs })
    expect(rig.lease({ queues: ['mail', 'paused'], max: 9 })).toEqual([])
  })

  it('that ends together with the delay ends the task', () => {
    const rig = anEngine()
    const id = rig.add('mail', { ttlMs: 1_000, delayMs: 1_000 })

    rig.pass(1_000).expire()

    expect(rig.stateOf(id)).toBe('expired')
    expect(rig.factKinds).toEqual(['task-due', 'task-ended'])
  })

  it('does not touch a task that somebody holds', () => {
    const rig = anEngine()
    const ids = [rig.add('mail', { ttlMs: 1_000 }), rig.add('mail', { ttlMs: 1_000 })]
    rig.leaseOne()
    rig.leaseOne({ start: false })

    rig.pass(1_000).expire()

    expect(ids.map((id) => rig.stateOf(id))).toEqual(['running', 'assigned'])
  })
})

describe('an execution timeout', () => {
  it('ends the attempt as a failure, with the delay of the policy', () => {
    const rig = anEngine()
    const retry = { kind: 'fixed', baseMs: 100, jitter: 0.5 } as const
    const id = rig.add('mail', { timeoutMs: 2_000, retry })
    const held = rig.leaseOne()
    rig.chance = 0.75

    rig.pass(1_999).expire()
    expect(rig.stateOf(id)).toBe('running')
    rig.pass(1).expire()

    const delayMs = Math.round(100 * (1 + 0.5 * (2 * chancesFrom(0.75)() - 1)))
    expect(rig.task(id)).toMatchObject({
      state: 'retrying',
      failures: 1,
      dueAtMs: rig.wallMs + delayMs,
    })
    expect(rig.facts).toMatchObject([
      {
        reason: 'timed_out',
        actor: 'broker',
        error: {
          message: 'it ran longer than its execution timeout of 2000 ms',
          type: 'ExecutionTimeout',
        },
      },
    ])
    expect(rig.complete([held])).toMatchObject({
      refused: [[0, 'STALE_LEASE', expect.any(String)]],
    })
  })

  it('ends the task as dead with its last attempt', () => {
    const rig = anEngine()
    const id = rig.add('mail', { timeoutMs: 2_000, maxAttempts: 1 })
    rig.leaseOne()

    rig.pass(2_000).expire()

    expect(rig.task(id)).toMatchObject({
      state: 'dead',
      end: { reason: 'attempts_exhausted', error: { type: 'ExecutionTimeout' } },
    })
  })

  it('can be named as not worth retrying', () => {
    const rig = anEngine()
    const id = rig.add('mail', { timeoutMs: 2_000, retry: { notRetryable: ['ExecutionTimeout'] } })
    rig.leaseOne()

    rig.pass(2_000).expire()

    expect(rig.task(id).end?.reason).toBe('not_retryable')
  })

  it('ends a task that somebody has asked to cancel', () => {
    const rig = anEngine()
    const id = rig.add('mail', { timeoutMs: 2_000 })
    rig.leaseOne()
    rig.cancel([id])

    rig.pass(2_000).expire()

    expect(rig.task(id)).toMatchObject({ state: 'cancelled', failures: 1 })
  })

  it('has nothing to say about a task that was not started', () => {
    const rig = anEngine()
    const id = rig.add('mail', { timeoutMs: 2_000 })
    rig.leaseOne({ start: false })

    rig.pass(2_000).expire()

    expect(rig.stateOf(id)).toBe('assigned')
  })
})

describe('a lease that ends', () => {
  it('costs a loss, not a failure, and not one millisecond early', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.leaseOne({ leaseMs: 3_000 })

    rig.pass(2_999).expire()
    expect(rig.stateOf(id)).toBe('running')
    rig.pass(1).expire()

    expect(rig.task(id)).toMatchObject({ state: 'queued', losses: 1, failures: 0, attempt: 2 })
    expect(rig.facts).toMatchObject([
      { kind: 'task-released', reason: 'lease_expired', lost: true },
    ])
  })

  it('ends also while the task was only assigned', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.leaseOne({ leaseMs: 3_000, start: false })

    rig.pass(3_000).expire()

    expect(rig.task(id)).toMatchObject({ state: 'queued', losses: 1 })
  })

  it('makes a task dead that has lost as many workers as it may', () => {
    const rig = anEngine()
    const id = rig.add('mail', { maxLost: 2 })
    rig.leaseOne({ leaseMs: 3_000 })
    rig.pass(3_000).expire()
    rig.leaseOne({ leaseMs: 3_000 })
    rig.pass(3_000).expire()

    expect(rig.task(id)).toMatchObject({
      state: 'dead',
      losses: 2,
      end: {
        reason: 'losses_exhausted',
        error: { message: 'its worker was lost (lease_expired)', type: 'WorkerLost' },
      },
    })
  })

  it('counts failures and losses apart', () => {
    const rig = anEngine()
    const id = rig.add('mail', { maxLost: 2, maxAttempts: 2 })
    rig.leaseOne({ leaseMs: 3_000 })
    rig.pass(3_000).expire()
    rig.fail([{ ...rig.leaseOne(), retryAfterMs: 0 }])
    rig.expire()

    expect(rig.task(id)).toMatchObject({ state: 'queued', losses: 1, failures: 1, attempt: 3 })
  })

  it('ends a task that somebody has asked to cancel, and counts the loss', () => {
    const rig = anEngine()
    const id = rig.add('mail', { maxLost: 1 })
    rig.leaseOne({ leaseMs: 3_000 })
    rig.cancel([id], 'no longer wanted')

    rig.pass(3_000).expire()

    expect(rig.task(id)).toMatchObject({
      state: 'cancelled',
      losses: 1,
      end: { reason: 'cancelled', note: 'no longer wanted' },
    })
  })

  it('yields to a deadline of the same moment: one attempt ends once', () => {
    const rig = anEngine()
    const id = rig.add('mail', { timeoutMs: 3_000 })
    rig.leaseOne({ leaseMs: 3_000 })

    rig.pass(3_000).expire()

    expect(rig.task(id)).toMatchObject({ state: 'retrying', failures: 1, losses: 0 })
  })
})

describe('a broker that stood still', () => {
  it('lets no worker pay: leases, deadlines and silence are extended by the stall', () => {
    const rig = anEngine({ workerDeadMs: 10_000 })
    rig.register('w1')
    const id = rig.add('mail', { timeoutMs: 4_000 })
    rig.leaseOne({ leaseMs: 3_000 })
    rig.pass(60_000)
    rig.extendLeases(60_000)

    rig.pass(2_999).expire()
    expect(rig.stateOf(id)).toBe('running')
    rig.pass(1).expire()

    expect(rig.task(id)).toMatchObject({ state: 'queued', losses: 1 })
  })

  it('extends deadlines as well', () => {
    const rig = anEngine()
    const id = rig.add('mail', { timeoutMs: 2_000 })
    rig.leaseOne({ leaseMs: 30_000 })
    rig.pass(60_000)
    rig.extendLeases(60_000)

    rig.pass(1_999).expire()
    expect(rig.stateOf(id)).toBe('running')
    rig.pass(1).expire()
    expect(rig.stateOf(id)).toBe('retrying')
  })

  it('keeps the order in which leases end', () => {
    const rig = anEngine()
    const ids = [5_000, 3_000, 4_000].map((leaseMs) => {
      const id = rig.add('mail')
      rig.leaseOne({ leaseMs })
      return id
    })
    rig.extendLeases(1_000)

    const ended = [4_000, 1_000, 1_000].map((waitMs) => {
      rig.pass(waitMs).expire()
      return ids.findIndex((id) => rig.stateOf(id) === 'queued' && rig.leaseOne({ session: 'x' }))
    })

    expect(ended).toEqual([1, 2, 0])
  })
})

describe('a silent worker', () => {
  const aSilentWorker = (): { rig: EngineRig; held: readonly HeldTask[] } => {
    const rig = anEngine({ workerDeadMs: 10_000, sessionIdleMs: 60_000 })
    rig.register('w1')
    for (let count = 0; count < 3; count += 1) rig.add('mail')
    return { rig, held: rig.lease({ max: 2, leaseMs: 3_600_000 }) }
  }

  it('loses its tasks when it counts as dead, but stays known', () => {
    const { rig, held } = aSilentWorker()

    rig.pass(9_999).expire()
    expect(rig.facts).toEqual([])
    rig.pass(1).expire()

    expect(held.map(({ id }) => rig.task(id))).toMatchObject([
      { state: 'queued', losses: 1 },
      { state: 'queued', losses: 1 },
    ])
    expect(rig.facts).toMatchObject([
      { kind: 'task-released', reason: 'worker_lost', lost: true },
      { kind: 'task-released', reason: 'worker_lost', lost: true },
      { kind: 'worker-lost', leases: 2 },
    ])
    expect(rig.state.sessionsByKey.size).toBe(1)
  })

  it('is said to be lost once', () => {
    const { rig } = aSilentWorker()
    rig.pass(10_000).expire()

    rig.pass(10_000).expire()

    expect(rig.facts).toEqual([])
  })

  it('lives on with any heartbeat', () => {
    const { rig, held } = aSilentWorker()
    rig.pass(9_999)
    rig.heartbeat(held)
    rig.pass(9_999).expire()

    expect(rig.facts).toEqual([])
  })

  it('may come back and go on with other work', () => {
    const { rig, held } = aSilentWorker()
    rig.pass(10_000).expire()

    const { stop } = accepted(rig.heartbeat(held))

    expect(stop).toHaveLength(2)
    expect(rig.lease({ max: 9, session: 'w1' })).toHaveLength(3)
  })

  it('is forgotten when it has been silent for long', () => {
    const { rig } = aSilentWorker()
    rig.pass(60_000).expire()

    expect(rig.facts.at(-1)).toMatchObject({ kind: 'session-closed', reason: 'dead' })
    expect(rig.state.sessionsByKey.size).toBe(0)
  })
})

describe('a session that never registered', () => {
  it('keeps its lease for its full time, however silent', () => {
    const rig = anEngine({ workerDeadMs: 10_000, sessionIdleMs: 60_000 })
    const id = rig.add('mail', { timeoutMs: 3_600_000 })
    rig.leaseOne({ leaseMs: 100_000 })

    rig.pass(99_999).expire()

    expect(rig.stateOf(id)).toBe('running')
    expect(rig.state.sessionsByKey.size).toBe(1)
  })

  it('is forgotten when it is idle and holds nothing', () => {
    const rig = anEngine({ sessionIdleMs: 60_000 })
    rig.add('mail')
    rig.complete([rig.leaseOne()])

    rig.pass(59_999).expire()
    expect(rig.state.sessionsByKey.size).toBe(1)
    rig.pass(1).expire()

    expect(rig.facts).toMatchObject([{ kind: 'session-closed', reason: 'idle' }])
    expect(rig.state.sessionsByKey.size).toBe(0)
  })
})

describe('a step of time', () => {
  const MAX = limits.STEP_ITEMS_MAX
  const many = (count: number, wish: Parameters<typeof aTask>[0]) =>
    Array.from({ length: count }, () => aTask(wish))

  it('is bounded, and says that there is more to do', () => {
    const rig = anEngine()
    rig.enqueue('mail', many(MAX, { delayMs: 10 }))
    rig.enqueue('mail', many(5, { delayMs: 10 }))
    rig.pass(10)

    expect(rig.expire()).toEqual({ more: true })
    expect(rig.facts).toHaveLength(MAX)
    expect(rig.expire()).toEqual({ more: false })
    expect(rig.facts).toHaveLength(5)
  })

  it('shares its bound among all kinds of work, in a fixed order', () => {
    const rig = anEngine({ workerDeadMs: 100, sessionIdleMs: 10_000 })
    rig.register('dead')
    rig.enqueue('lost', many(3, { timeoutMs: 3_600_000 }))
    rig.lease({ queues: ['lost'], max: 2, session: 'dead', leaseMs: 3_600_000 })
    rig.enqueue('slow', many(2, { timeoutMs: 50 }))
    rig.lease({ queues: ['slow'], max: 9, session: 'other', leaseMs: 3_600_000 })
    rig.enqueue('brief', many(2, {}))
    rig.lease({ queues: ['brief'], max: 9, session: 'other', leaseMs: 100 })
    rig.enqueue('mail', many(2, { ttlMs: 100 }))
    rig.enqueue('mail', many(MAX - 7, { delayMs: 100 }))
    rig.pass(100)

    expect(rig.expire()).toEqual({ more: true })
    const kinds = [...new Set(rig.factKinds)]
    const counts = kinds.map((kind) => rig.factKinds.filter((other) => other === kind).length)
    expect(kinds.map((kind, index) => [kind, counts[index]])).toEqual([
      ['task-due', MAX - 7],
      ['task-ended', 2],
      ['task-retried', 2],
      ['task-released', 3],
      ['worker-lost', 1],
    ])

    expect(rig.expire()).toEqual({ more: false })
    expect(rig.factKinds).toEqual(['task-released', 'worker-lost'])
  })

  it('stops at each kind of work when its bound is used up', () => {
    const rig = anEngine({ workerDeadMs: 100, sessionIdleMs: 100 })
    rig.register('one')
    rig.register('two')
    rig.enqueue('mail', many(MAX, { delayMs: 100 }))
    rig.pass(100)

    expect(rig.expire()).toEqual({ more: true })
    expect(rig.state.sessionsByKey.size).toBe(2)
    expect(rig.expire()).toEqual({ more: false })
    expect(rig.state.sessionsByKey.size).toBe(0)
  })

  it('with nothing to do does nothing', () => {
    const rig = anEngine()
    rig.add('mail')

    expect(rig.expire()).toEqual({ more: false })
    expect(rig.facts).toEqual([])
  })
})

describe('nextDue', () => {
  it('is never while nothing waits for time', () => {
    const rig = anEngine()
    rig.add('mail')

    expect(nextDue(rig.state)).toEqual({ tickMs: Infinity, wallMs: Infinity })
  })

  it('is the nearest moment of each clock', () => {
    const rig = anEngine()
    const { wallMs, tickMs } = rig
    rig.add('mail', { delayMs: 9_000 })
    expect(nextDue(rig.state)).toEqual({ tickMs: Infinity, wallMs: wallMs + 9_000 })
    rig.add('mail', { ttlMs: 8_000 })
    expect(nextDue(rig.state)).toEqual({ tickMs: Infinity, wallMs: wallMs + 8_000 })

    const failing = rig.leaseOne({ leaseMs: 5_000 })
    expect(nextDue(rig.state).tickMs).toBe(tickMs + 5_000)
    rig.fail([{ ...failing, retryAfterMs: 7_000 }])
    expect(nextDue(rig.state).tickMs).toBe(tickMs + 7_000)
    rig.add('mail', { timeoutMs: 600 })
    rig.leaseOne({ leaseMs: 5_000 })
    expect(nextDue(rig.state).tickMs).toBe(tickMs + 600)
  })
})
