// What the engine tells of tasks, queues and workers.

import { describe, expect, it } from 'vitest'
import { anEngine, type EngineRig } from '../../test/engine-builder.ts'
import { aSession } from '../../test/task-builder.ts'
import {
  describeEnded,
  describeEngine,
  describeQueue,
  describeWorker,
  rowOfEnded,
  rowOfTask,
} from './describe.ts'
import type { EndedTask } from './fact.ts'
import { hexOf } from './held.ts'
import type { Queue } from './queue.ts'
import { DEFAULT_QUEUE_SETTINGS } from './queue.ts'
import { type Session, sessionKey } from './session.ts'

function endedOf(rig: EngineRig, id: Uint8Array): EndedTask {
  return rig.ended.get(hexOf(id)) as EndedTask
}

function sessionOf(rig: EngineRig, name: string): Session {
  return rig.state.sessionsByKey.get(sessionKey(aSession(name).id)) as Session
}

describe('a task', () => {
  it('tells what it requires, when it expires, and when it is due', () => {
    const rig = anEngine()
    const wish = { requires: { gpu: true }, ttlMs: 9_000, delayMs: 5_000 }
    const id = rig.add('mail', wish)

    expect(rig.task(id)).toMatchObject({
      state: 'scheduled',
      requires: { gpu: true },
      expiresAtMs: rig.wallMs + 9_000,
      dueAtMs: rig.wallMs + 5_000,
    })
    expect(rowOfTask(rig.state, rig.row(id), rig)).toEqual({
      id,
      queue: 'mail',
      type: 'send',
      state: 'scheduled',
      priority: 128,
      attempt: 1,
      createdAtMs: rig.wallMs,
      dueAtMs: rig.wallMs + 5_000,
    })
  })

  it('tells the end of its backoff as a time of day, though it runs on the other clock', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.fail([{ ...rig.leaseOne(), retryAfterMs: 5_000 }])
    rig.wallMs += 1_000_000
    rig.tickMs += 2_000

    expect(rig.task(id).dueAtMs).toBe(rig.wallMs + 3_000)
  })

  it('that is held tells who holds it, and for how long still', () => {
    const rig = anEngine()
    rig.register('w1')
    const id = rig.add('mail')
    rig.leaseOne({ leaseMs: 4_000 })
    rig.pass(1_500)

    expect(rig.task(id).lease).toEqual({
      session: aSession('w1').id,
      worker: 'w1',
      token: 1,
      remainingMs: 2_500,
      assignedAtMs: rig.wallMs - 1_500,
      startedAtMs: rig.wallMs - 1_500,
    })
    expect(rowOfTask(rig.state, rig.row(id), rig)).toMatchObject({ state: 'running', worker: 'w1' })
    rig.pass(10_000)
    expect(rig.task(id).lease?.remainingMs).toBe(0)
  })

  it('that is just ending tells when', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.complete([rig.leaseOne()])

    expect(rowOfTask(rig.state, rig.row(id), rig)).toMatchObject({ endedAtMs: rig.wallMs })
  })
})

describe('a task that has ended', () => {
  it('is described from disk as it was from memory', () => {
    const rig = anEngine()
    const id = rig.add('mail', { requires: { gpu: true } })
    rig.register('w1', { labels: { gpu: true } })
    rig.fail([{ ...rig.leaseOne(), retryable: false }])
    const inMemory = { task: rig.task(id), row: rowOfTask(rig.state, rig.row(id), rig) }
    rig.commit()

    expect(describeEnded(endedOf(rig, id))).toEqual(inMemory.task)
    expect(rowOfEnded(endedOf(rig, id))).toEqual(inMemory.row)
    expect(rowOfEnded(endedOf(rig, id))).toEqual({
      id,
      queue: 'mail',
      type: 'send',
      state: 'dead',
      priority: 128,
      attempt: 1,
      createdAtMs: rig.wallMs,
      endedAtMs: rig.wallMs,
      worker: 'w1',
    })
  })

  it('without anybody holding it names the attempt that would have come', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.fail([{ ...rig.leaseOne(), retryAfterMs: 9_000 }])
    rig.cancel([id])
    rig.commit()

    expect(describeEnded(endedOf(rig, id))).toMatchObject({ state: 'cancelled', attempt: 2 })
    expect(rowOfEnded(endedOf(rig, id))).toMatchObject({ attempt: 2 })
    expect(rowOfEnded(endedOf(rig, id))).not.toHaveProperty('worker')
  })

  it('tells its result', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.complete([{ ...rig.leaseOne(), result: Uint8Array.of(7) }])
    rig.commit()

    expect(describeEnded(endedOf(rig, id)).end).toEqual({
      atMs: rig.wallMs,
      reason: 'completed',
      result: Uint8Array.of(7),
    })
  })
})

describe('a queue', () => {
  const AROUND = { kept: 5, dead: null, waitingClaims: 2, withSettings: false }

  it('counts its tasks by state and what it has seen', () => {
    const rig = anEngine()
    for (let count = 0; count < 7; count += 1) rig.add('mail', { maxAttempts: 2, maxLost: 1 })
    rig.add('mail', { delayMs: 99_000 })
    rig.complete([rig.leaseOne()])
    rig.fail([{ ...rig.leaseOne(), retryAfterMs: 99_000 }])
    rig.fail([{ ...rig.leaseOne(), retryable: false }])
    rig.leaseOne({ leaseMs: 1_000 })
    rig.pass(1_000).expire()
    rig.leaseOne()
    rig.leaseOne({ start: false })
    rig.pause('mail', 'maintenance')

    const queue = rig.state.queuesByName.get('mail') as Queue
    expect(
      describeQueue(queue, {
        ...AROUND,
        withSettings: true,
        wallMs: rig.wallMs,
        tickMs: rig.tickMs,
      }),
    ).toEqual({
      queue: 'mail',
      paused: true,
      pauseReason: 'maintenance',
      scheduled: 1,
      queued: 1,
      assigned: 1,
      running: 1,
      retrying: 1,
      kept: 5,
      dead: null,
      oldestReadyAgeMs: 1_000,
      enqueuedTotal: 8,
      completedTotal: 1,
      failedTotal: 2,
      deadTotal: 2,
      lostTotal: 1,
      waitingClaims: 2,
      settings: DEFAULT_QUEUE_SETTINGS,
    })
  })

  it('tells how long its oldest ready task has waited, in whichever lane it stands', () => {
    const rig = anEngine()
    const age = (): number | undefined => {
      const queue = rig.state.queuesByName.get('mail') as Queue
      return describeQueue(queue, { ...AROUND, wallMs: rig.wallMs, tickMs: rig.tickMs })
        .oldestReadyAgeMs
    }
    rig.pause('mail')
    expect(age()).toBeUndefined()
    rig.add('mail', { priority: 3, requires: { gpu: true } })
    rig.pass(50)
    rig.add('mail', { priority: 250 })

    expect(age()).toBe(50)
    rig.wallMs -= 80
    expect(age()).toBe(0)
  })

  it('has no word about a pause that has no reason', () => {
    const rig = anEngine()
    rig.pause('mail')
    const queue = rig.state.queuesByName.get('mail') as Queue

    expect(describeQueue(queue, { ...AROUND, wallMs: 0, tickMs: 0 })).not.toHaveProperty(
      'pauseReason',
    )
  })
})

describe('a worker', () => {
  it('tells what it is, what it holds, and whether it is late', () => {
    const rig = anEngine()
    rig.register('w1', { labels: { gpu: true }, slots: 8 })
    rig.add('mail')
    rig.leaseOne()
    rig.pass(10_000)

    const told = describeWorker(sessionOf(rig, 'w1'), rig, 5_000)
    expect(told).toEqual({
      session: aSession('w1').id,
      name: 'w1',
      version: '1.0.0',
      labels: { gpu: true },
      slots: 8,
      leases: 1,
      lastSeenAgoMs: 10_000,
      health: 'ok',
      principal: 'alice',
    })
    rig.pass(1)
    expect(describeWorker(sessionOf(rig, 'w1'), rig, 5_000)?.health).toBe('late')
  })

  it('was never seen in the future, also after leases were extended', () => {
    const rig = anEngine()
    rig.register('w1')
    rig.extendLeases(5_000)

    expect(describeWorker(sessionOf(rig, 'w1'), rig, 5_000)?.lastSeenAgoMs).toBe(0)
  })

  it('is none who has not registered', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.leaseOne()

    expect(describeWorker(sessionOf(rig, 'w1'), rig, 5_000)).toBeUndefined()
  })
})

describe('the engine', () => {
  it('counts live tasks and registered workers', () => {
    const rig = anEngine()
    rig.register('w1')
    for (let count = 0; count < 3; count += 1) rig.add('mail')
    rig.complete([rig.leaseOne({ session: 'w2' })])

    expect(describeEngine(rig.state)).toEqual({ tasks: 2, workers: 1 })
  })
})
