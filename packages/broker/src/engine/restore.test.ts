// What was read from disk stands in memory as it did before.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anEngine, EngineRig } from '../../test/engine-builder.ts'
import { assertProperty } from '../../test/property.ts'
import { aState, aTaskWish, place, queueOf, type TaskWish } from '../../test/record-builder.ts'
import { apply } from './apply.ts'
import { describeTask } from './describe.ts'
import { hexOf } from './held.ts'
import { checkInvariants } from './invariants.ts'
import { profileOf } from './profile.ts'
import { restoreTask, type RestoredLease, type RestoredTask } from './restore.ts'
import { NO_ROW, type Row } from './rows.ts'
import type { EngineState } from './state.ts'
import { FLAG_BORN, FLAG_CANCEL_REQUESTED, FLAG_DIRTY, FLAG_KEYED } from './task-table.ts'

/** A new engine, later, with everything that a disk would have kept of the old one. */
function restart(old: EngineRig, tickMs: number = old.tickMs): EngineRig {
  const rig = new EngineRig(old.state.options)
  rig.wallMs = old.wallMs
  rig.tickMs = tickMs
  rig.state.tickMs = tickMs
  for (const { number, name, settings, paused, pauseReason } of old.state.queuesByName.values()) {
    const by = { atMs: 0, actor: 'recovery' }
    apply(rig.state, { kind: 'queue-created', number, name, settings, ...by })
    apply(rig.state, { kind: 'queue-changed', number, settings, paused, pauseReason, ...by })
  }
  for (const { id, principal, worker } of old.state.sessionsByKey.values()) {
    apply(rig.state, { kind: 'session-opened', id, principal, worker, tickMs, atMs: 0 })
  }
  for (let task = old.state.tasks.rows.end - 1; task >= 0; task -= 1) {
    if (!old.state.tasks.isUsed(task) || old.state.ends.has(task)) continue
    const lease = old.state.tasks.lease(task)
    const restored = restoredTask(old.state, rig.state, task)
    restoreTask(rig.state, restored, lease === NO_ROW ? undefined : restoredLease(old.state, lease))
  }
  rig.state.nextSequence = old.state.nextSequence
  rig.state.lastToken = old.state.lastToken
  rig.watch.adopt(rig.state)
  return rig
}

function restoredTask(old: EngineState, state: EngineState, task: Row): RestoredTask {
  const { tasks } = old
  const known = old.profileOf(task)
  const queue = state.queuesByNumber.get(known.queue.number)
  if (queue === undefined) throw new Error('the queue was restored before its tasks')
  const { requires, maxAttempts, maxLost, retry } = known
  const options = { maxAttempts, maxLost, retry, ...(requires === undefined ? {} : { requires }) }
  return {
    id: tasks.id(task),
    profile: profileOf(queue, known.type, options),
    state: tasks.state(task),
    priority: tasks.priority(task),
    cancelRequested: tasks.hasFlag(task, FLAG_CANCEL_REQUESTED),
    cancelNote: old.cancelNotes.get(task),
    keyed: tasks.hasFlag(task, FLAG_KEYED),
    failures: tasks.failures(task),
    losses: tasks.losses(task),
    chapters: tasks.chapters(task),
    generation: tasks.generation(task),
    payloadBytes: tasks.payloadBytes(task),
    timeoutMs: tasks.timeoutMs(task),
    sequence: tasks.sequence(task),
    rankBaseMs: tasks.rankBaseMs(task),
    dueAt: tasks.dueAt(task),
    expiresAtMs: tasks.expiresAtMs(task),
    createdAtMs: tasks.createdAtMs(task),
  }
}

function restoredLease({ leases }: EngineState, lease: Row): RestoredLease {
  return {
    session: leases.session(lease),
    token: leases.token(lease),
    claim: leases.claim(lease),
    leaseMs: leases.leaseMs(lease),
    assignedAtMs: leases.assignedAtMs(lease),
    startedAtMs: leases.startedAtMs(lease),
    deadlineTickMs: leases.deadlineTickMs(lease),
  }
}

function describeAll(rig: EngineRig): object[] {
  const all: object[] = []
  for (let task = 0; task < rig.state.tasks.rows.end; task += 1) {
    if (rig.state.tasks.isUsed(task)) all.push(describeTask(rig.state, task, rig))
  }
  return all.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/** An engine with tasks in every live state. */
function aBusyEngine(): EngineRig {
  const rig = anEngine()
  rig.register('w1', { labels: { gpu: true } })
  rig.add('mail', { idempotencyKey: 'k', requires: { gpu: true } })
  rig.lease()
  rig.add('mail')
  rig.lease({ start: false })
  rig.add('mail', { maxAttempts: 9 })
  rig.fail([{ ...rig.leaseOne({ session: 'w2' }), retryAfterMs: 9_000 }])
  for (const priority of [5, 200, 128, 200]) rig.add('mail', { priority, ttlMs: 60_000 })
  rig.add('bills', { delayMs: 8_000, ttlMs: 60_000 })
  rig.add('bills', { requires: { zone: 'a' } })
  rig.pause('bills', 'maintenance')
  return rig
}

describe('a restored engine', () => {
  it('describes every task as the old one did', () => {
    const old = aBusyEngine()

    const rig = restart(old)

    expect(describeAll(rig)).toEqual(describeAll(old))
    expect(() => checkInvariants(rig.state)).not.toThrow()
  })

  it('serves the same tasks in the same order', () => {
    const old = aBusyEngine()
    const rig = restart(old)
    const serve = (from: EngineRig): unknown[] => {
      from.resume('bills')
      from.pass(9_000).expire()
      return from
        .lease({ queues: ['mail', 'bills'], max: 99, claim: 99 })
        .map(({ id, token }) => [id, token])
    }

    const served = serve(rig)

    expect(served).toEqual(serve(old))
    expect(served.length).toBeGreaterThan(5)
  })

  it('gives each lease its full time again, and the worker goes on under its token', () => {
    const old = anEngine()
    const id = old.add('mail')
    const held = old.leaseOne({ leaseMs: 4_000 })
    old.pass(3_900)

    const rig = restart(old, old.tickMs + 1_000)

    expect(rig.task(id).lease).toMatchObject({ token: held.token, remainingMs: 4_000 })
    expect(rig.heartbeat([held])).toEqual({ stop: [], released: 0 })
    expect(rig.complete([held])).toEqual({ ok: 1 })
  })

  it('keeps when an attempt began and when it has run too long', () => {
    const old = anEngine()
    const id = old.add('mail', { timeoutMs: 10_000 })
    const held = old.leaseOne({ start: false })
    old.pass(1_000)
    old.start([held])
    const lease = old.task(id).lease

    const rig = restart(old)

    expect(rig.task(id).lease).toMatchObject({
      assignedAtMs: lease?.assignedAtMs,
      startedAtMs: rig.wallMs,
    })
    rig.pass(9_999)
    rig.heartbeat([held])
    rig.expire()
    expect(rig.stateOf(id)).toBe('running')
    rig.pass(1).expire()
    expect(rig.stateOf(id)).toBe('retrying')
  })

  it('answers a claim that is sent again with the same leases', () => {
    const old = anEngine()
    old.add('mail')
    const held = old.leaseOne({ claim: 7 })

    expect(restart(old).leaseOne({ claim: 7 }).token).toBe(held.token)
  })

  it('still waits for the worker of a task that somebody has asked to cancel', () => {
    const old = anEngine()
    const id = old.add('mail')
    const held = old.leaseOne()
    old.cancel([id], 'no longer wanted')

    const rig = restart(old)

    expect(rig.heartbeat([held])).toMatchObject({ stop: [[id, held.token, 'cancelled']] })
    rig.release([held])
    expect(rig.task(id)).toMatchObject({ state: 'cancelled', end: { note: 'no longer wanted' } })
  })

  it('refuses to hold a task twice', () => {
    const old = anEngine()
    const id = old.add('mail')
    const rig = restart(old)

    const again = restoredTask(old.state, rig.state, old.row(id))

    expect(() => restoreTask(rig.state, again, undefined)).toThrow('a task is restored once')
  })
})

/** Any values, but attempts left, as every live task has them. */
const aSoundWish = aTaskWish.map((wish): TaskWish => ({
  ...wish,
  core: { ...wish.core, failures: 0, losses: 0 },
}))

/** A task of any values but these; the number tells ids and sequences apart. */
function aWish(
  number: number,
  core: Partial<TaskWish['core']>,
  lease: Partial<TaskWish['lease']> = {},
): TaskWish {
  const [any] = fc.sample(aSoundWish, { numRuns: 1, seed: 1 })
  if (any === undefined) throw new Error('there is a sample')
  const id = new Uint8Array(any.core.id).with(15, number)
  const quiet = { cancelRequested: false, keyed: false, expiresAtMs: 0, sequence: number }
  return { ...any, core: { ...any.core, id, ...quiet, ...core }, lease: { ...any.lease, ...lease } }
}

describe('restoreTask', () => {
  it('keeps every law, whatever is restored', () => {
    const wishes = fc.uniqueArray(aSoundWish, {
      maxLength: 12,
      selector: ({ core }) => hexOf(core.id),
    })
    const property = fc.property(wishes, (all) => {
      const state = aState()
      for (const [index, wish] of all.entries()) {
        // Tokens and sequences are never equal: they decide between equals.
        state.lastToken = index + 1
        const lease = { ...wish.lease, token: state.lastToken }
        place(state, { ...wish, lease, core: { ...wish.core, sequence: index + 1 } })
      }
      checkInvariants(state)
      expect(state.liveCount).toBe(all.length)
    })
    assertProperty(property, 150)
  })

  it('puts a queued task into the lane of its priority, at its rank base', () => {
    const state = aState()

    const task = place(state, aWish(1, { state: 'queued', priority: 17, rankBaseMs: 77 }))

    const [group] = queueOf(state).groups.values()
    expect(group?.find(17)?.heap.keyOf(task)).toBe(77)
    expect(queueOf(state).countOf('queued')).toBe(1)
    expect(state.woken.has(queueOf(state))).toBe(true)
  })

  it('lets a scheduled task wait for the wall clock, a retrying one for the tick clock', () => {
    const state = aState()

    const scheduled = place(state, aWish(1, { state: 'scheduled', dueAt: 900 }))
    const retrying = place(state, aWish(2, { state: 'retrying', dueAt: 40 }))

    expect(state.scheduled.keyOf(scheduled)).toBe(900)
    expect(state.retrying.keyOf(retrying)).toBe(40)
  })

  it.each(['queued', 'scheduled', 'retrying'] as const)('lets a %s task expire', (name) => {
    const state = aState()

    const task = place(state, aWish(1, { state: name, expiresAtMs: 500 }))

    expect(state.expiry.keyOf(task)).toBe(500)
  })

  it('keeps the time to live of an assigned task, which does not expire while it is held', () => {
    const state = aState()

    const task = place(state, aWish(1, { state: 'assigned', expiresAtMs: 500 }, { startedAtMs: 0 }))

    expect(state.expiry.has(task)).toBe(false)
    expect(state.tasks.expiresAtMs(task)).toBe(500)
    expect(state.leases.startedAtMs(state.tasks.lease(task))).toBe(0)
  })

  it('counts the lease from now on, and its deadline from then', () => {
    const state = aState()
    state.tickMs = 1_000
    const times = { leaseMs: 7_000, assignedAtMs: 5, startedAtMs: 6, deadlineTickMs: 2_500 }

    const lease = state.tasks.lease(place(state, aWish(1, { state: 'running' }, times)))

    expect(state.leases.endTickMs(lease)).toBe(8_000)
    expect(state.leaseEnds.keyOf(lease)).toBe(8_000)
    expect(state.deadlines.keyOf(lease)).toBe(2_500)
    expect([state.leases.assignedAtMs(lease), state.leases.startedAtMs(lease)]).toEqual([5, 6])
    expect(state.sessionAt(0)).toMatchObject({ firstLease: lease, leaseCount: 1 })
  })

  it('keeps what was asked and said, and is nothing new to the disk', () => {
    const state = aState()
    const core = { state: 'running', cancelRequested: true, keyed: true } as const

    const task = place(state, { ...aWish(1, core), cancelNote: 'nö' })

    expect(state.cancelNotes.get(task)).toBe('nö')
    expect(state.tasks.hasFlag(task, FLAG_CANCEL_REQUESTED)).toBe(true)
    expect(state.tasks.hasFlag(task, FLAG_KEYED)).toBe(true)
    expect(state.tasks.hasFlag(task, FLAG_BORN | FLAG_DIRTY)).toBe(false)
    expect(state.dirtyCount).toBe(0)
    expect(state.tasks.payloadPosition(task)).toBe(0)
  })

  it('shares the profile of tasks that are alike', () => {
    const state = aState()

    const [one, other] = [1, 2].map((number) => place(state, aWish(number, { state: 'queued' })))

    expect(state.profileOf(one as Row)).toBe(state.profileOf(other as Row))
    expect(state.profileOf(one as Row).uses).toBe(2)
  })
})
