// Claim: the most urgent tasks, leased to a session under tokens that only grow.

import { describe, expect, it } from 'vitest'
import { anEngine } from '../../test/engine-builder.ts'
import { aSession } from '../../test/task-builder.ts'
import { DEFAULT_LEASE_MS } from './decide-claim.ts'
import { sessionKey } from './session.ts'

describe('claim', () => {
  it('leases a task into running and tells all that its worker must know', () => {
    const rig = anEngine()
    const id = rig.add('mail', { priority: 200, timeoutMs: 700, payload: Uint8Array.of(1, 2, 3) })

    const claimed = rig.leaseOne({ leaseMs: 4_000 })

    expect(claimed).toEqual({
      task: rig.row(id),
      id,
      token: 1,
      queue: 'mail',
      type: 'send',
      attempt: 1,
      priority: 200,
      timeoutMs: 700,
      failures: 0,
      losses: 0,
      cancelRequested: false,
      endTickMs: rig.tickMs + 4_000,
      payloadBytes: 3,
    })
    expect(rig.task(id)).toMatchObject({
      state: 'running',
      lease: { token: 1, remainingMs: 4_000, assignedAtMs: rig.wallMs, startedAtMs: rig.wallMs },
    })
    const lease = rig.state.tasks.lease(rig.row(id))
    expect(rig.state.leases.deadlineTickMs(lease)).toBe(rig.tickMs + 700)
  })

  it('leaves a task assigned, without a deadline, if it shall be started later', () => {
    const rig = anEngine()
    const id = rig.add('mail')

    const { endTickMs } = rig.leaseOne({ start: false })

    expect(endTickMs).toBe(rig.tickMs + DEFAULT_LEASE_MS)
    expect(rig.task(id)).toMatchObject({ state: 'assigned', lease: { assignedAtMs: rig.wallMs } })
    expect(rig.task(id).lease?.startedAtMs).toBeUndefined()
    expect(rig.state.deadlines.size).toBe(0)
  })

  it('gives as many as it was asked for and no more', () => {
    const rig = anEngine()
    for (let count = 0; count < 5; count += 1) rig.add('mail')

    expect(rig.lease({ max: 3 })).toHaveLength(3)
    expect(rig.lease({ max: 3 })).toHaveLength(2)
    expect(rig.lease({ max: 3 })).toHaveLength(0)
  })

  it('grants tokens that only grow, over all tasks and sessions', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.add('mail')
    const tokens = rig.lease({ max: 2 }).map(({ token }) => token)
    rig.release([{ id, token: tokens[0] as number }])

    expect([...tokens, rig.leaseOne({ session: 'w2' }).token]).toEqual([1, 2, 3])
  })

  it('gives nothing from a queue that is paused or that nobody knows', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.pause('mail')

    expect(rig.lease({ queues: ['mail', 'nowhere'] })).toEqual([])
    expect(rig.facts).toEqual([])
  })

  it('knows nothing of scheduled, retrying and ended tasks', () => {
    const rig = anEngine()
    const [retried, cancelled] = [rig.add('mail'), rig.add('mail')]
    rig.add('mail', { delayMs: 1 })
    rig.fail([{ id: retried, token: rig.leaseOne().token }])
    rig.cancel([cancelled])

    expect(rig.lease({ max: 9 })).toEqual([])
  })
})

describe('the session of a claim', () => {
  it('is opened by the first lease, not by an empty claim', () => {
    const rig = anEngine()
    rig.lease()
    expect([rig.facts, rig.state.sessionsByKey.size]).toEqual([[], 0])

    rig.add('mail')
    rig.lease()

    expect(rig.factKinds).toEqual(['session-opened', 'task-leased'])
    const session = rig.state.sessionsByKey.get(sessionKey(aSession('w1').id))
    expect(session).toMatchObject({ principal: 'alice', leaseCount: 1, worker: undefined })
  })

  it('counts as seen with every claim, also with an empty one', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.lease()

    rig.pass(700).lease()

    expect(rig.factKinds).toEqual(['session-seen'])
    expect(rig.state.sessions[0]?.lastSeenTickMs).toBe(rig.tickMs)
  })

  it('is refused to another principal, whether there is work or not', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.lease()

    expect(rig.claim({ principal: 'mallory' })).toMatchObject({ code: 'FORBIDDEN' })
    rig.add('mail')
    expect(rig.claim({ principal: 'mallory' })).toMatchObject({ code: 'FORBIDDEN' })
    expect(rig.claim({ principal: 'mallory', session: 'w2' })).toMatchObject({ claimed: [{}] })
  })
})

describe('a claim that is sent again', () => {
  it('gets the same leases under the same tokens, and none beside them', () => {
    const rig = anEngine()
    for (let count = 0; count < 6; count += 1) rig.add('mail')
    const first = rig.lease({ max: 3, claim: 7 })

    const again = rig.pass(1_000).lease({ max: 3, claim: 7 })

    expect(again).toEqual(first)
    expect(rig.factKinds).toEqual(['session-seen'])
    expect(rig.state.leases.count).toBe(3)
  })

  it('gets what is left of them, though there were room for more', () => {
    const rig = anEngine()
    for (let count = 0; count < 4; count += 1) rig.add('mail')
    const both = rig.lease({ max: 2, claim: 7 })
    rig.complete(both.slice(0, 1))

    expect(rig.lease({ max: 2, claim: 7 })).toEqual(both.slice(1))
  })

  it('gets only its own, though a later claim holds leases as well', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.add('mail')
    const first = rig.lease({ claim: 7 })
    rig.lease({ claim: 8 })

    expect(rig.lease({ claim: 7 })).toEqual(first)
  })

  it('gets them also from a queue that was paused meanwhile', () => {
    const rig = anEngine()
    rig.add('mail')
    const first = rig.lease({ claim: 7 })
    rig.pause('mail')

    expect(rig.lease({ claim: 7 })).toEqual(first)
  })

  it('is told which of its tasks somebody has asked to cancel', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.lease({ claim: 7 })
    rig.cancel([id])

    expect(rig.leaseOne({ claim: 7 }).cancelRequested).toBe(true)
  })

  it('gets new work if all of them have ended', () => {
    const rig = anEngine()
    rig.add('mail')
    const next = rig.add('mail')
    rig.complete([rig.leaseOne({ claim: 7 })])

    expect(rig.leaseOne({ claim: 7 })).toMatchObject({ id: next, token: 2 })
  })

  it('has nothing to do with the same number of another session', () => {
    const rig = anEngine()
    const [one, other] = [rig.add('mail'), rig.add('mail')]

    expect(rig.leaseOne({ claim: 7, session: 'w1' }).id).toEqual(one)
    expect(rig.leaseOne({ claim: 7, session: 'w2' }).id).toEqual(other)
    expect(rig.leaseOne({ claim: 7, session: 'w1' }).id).toEqual(one)
  })
})

describe('the bytes of a claim', () => {
  const bytes = (count: number): Uint8Array => new Uint8Array(count)

  it('end it before the task that would not fit, and never let a later one jump ahead', () => {
    const rig = anEngine()
    const ids = [40, 40, 40, 1].map((size) => rig.add('mail', { payload: bytes(size) }))

    const got = rig.lease({ max: 9, payloadBytesMax: 100 })

    expect(got.map(({ id }) => id)).toEqual(ids.slice(0, 2))
  })

  it('are filled to the last one', () => {
    const rig = anEngine()
    for (const size of [60, 40, 1]) rig.add('mail', { payload: bytes(size) })

    expect(rig.lease({ max: 9, payloadBytesMax: 100 })).toHaveLength(2)
  })

  it('do not keep back a first task that is bigger than all of them', () => {
    const rig = anEngine()
    for (const size of [500, 1]) rig.add('mail', { payload: bytes(size) })

    expect(rig.lease({ max: 9, payloadBytesMax: 100 })).toHaveLength(1)
  })

  it('end it over several queues as well', () => {
    const rig = anEngine()
    rig.add('a', { payload: bytes(60) })
    rig.add('b', { payload: bytes(60) })
    rig.add('a', { payload: bytes(1) })

    const got = rig.lease({ queues: ['a', 'b'], max: 9, claim: 2, payloadBytesMax: 100 })

    expect(got.map(({ queue }) => queue)).toEqual(['a'])
  })
})

describe('the time to live of a claimed task', () => {
  it('ends with its start', () => {
    const rig = anEngine()
    const id = rig.add('mail', { ttlMs: 1_000 })
    const { token } = rig.leaseOne()
    rig.release([{ id, token }])

    rig.pass(2_000).expire()

    expect(rig.stateOf(id)).toBe('queued')
    expect(rig.task(id).expiresAtMs).toBeUndefined()
  })

  it('goes on when it comes back without having been started', () => {
    const rig = anEngine()
    const id = rig.add('mail', { ttlMs: 1_000 })
    const { token } = rig.leaseOne({ start: false })
    rig.pass(2_000).expire()
    expect(rig.stateOf(id)).toBe('assigned')

    rig.release([{ id, token }])
    rig.expire()

    expect(rig.stateOf(id)).toBe('expired')
  })
})
