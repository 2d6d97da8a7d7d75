// What a person may ask of a task: cancel, redrive, set-priority; and setting an unreadable one aside.

import type { TaskIdBytes } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { anEngine, type EngineRig } from '../../test/engine-builder.ts'
import { aTaskId } from '../../test/task-builder.ts'
import { hexOf } from './held.ts'
import { FLAG_KEYED } from './task-table.ts'

const refusedWith = (code: string): object => ({
  ok: 0,
  refused: [[0, code, expect.any(String)]],
})

/** How a task comes into each terminal state. */
const ENDINGS: Readonly<Record<string, (rig: EngineRig, id: TaskIdBytes) => void>> = {
  completed: (rig) => void rig.complete([rig.leaseOne()]),
  dead: (rig) => void rig.fail([{ ...rig.leaseOne(), retryable: false }]),
  cancelled: (rig, id) => void rig.cancel([id], 'first'),
  expired: (rig) => void rig.pass(1_000).expire(),
}

function ended(state: string, isOnDisk: boolean): { rig: EngineRig; id: TaskIdBytes } {
  const rig = anEngine()
  const id = rig.add('mail', { ttlMs: 1_000 })
  ENDINGS[state]?.(rig, id)
  if (isOnDisk) rig.commit()
  expect(rig.stateOf(id)).toBe(state)
  return { rig, id }
}

describe('cancel', () => {
  it('ends a task that waits, wherever it waits', () => {
    const rig = anEngine()
    const retrying = rig.add('mail')
    rig.fail([rig.leaseOne()])
    const ids = [retrying, rig.add('mail', { ttlMs: 99 }), rig.add('mail', { delayMs: 99 })]

    expect(rig.cancel(ids, 'no longer wanted')).toEqual({
      ok: 3,
      outcomes: ['cancelled', 'cancelled', 'cancelled'],
    })

    for (const id of ids) {
      const end = { reason: 'cancelled', note: 'no longer wanted', atMs: rig.wallMs }
      expect(rig.task(id)).toMatchObject({ state: 'cancelled', end })
    }
    expect(rig.pass(1_000_000).expire()).toEqual({ more: false })
    expect(rig.lease({ max: 9 })).toEqual([])
  })

  it.each([true, false])(
    'asks the worker of a held task, and changes nothing yet (started: %s)',
    (start) => {
      const rig = anEngine()
      const id = rig.add('mail')
      rig.leaseOne({ start })

      expect(rig.cancel([id], 'no longer wanted')).toEqual({ ok: 1, outcomes: ['requested'] })

      const state = start ? 'running' : 'assigned'
      expect(rig.task(id)).toMatchObject({ state, cancelRequested: true })
      expect(rig.factKinds).toEqual(['task-cancel-requested'])
    },
  )

  it('of a held task that was asked for before has happened already', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    const held = rig.leaseOne()
    rig.cancel([id], 'first')

    expect(rig.cancel([id], 'second')).toEqual({ ok: 0, already: [0], outcomes: ['requested'] })
    rig.release([held])
    expect(rig.task(id).end?.note).toBe('first')
  })

  it('keeps no note if none was given', () => {
    const rig = anEngine()
    const ids = [rig.add('mail'), rig.add('mail')]
    const held = rig.leaseOne()
    rig.cancel(ids)
    rig.release([held])

    for (const id of ids)
      expect(rig.task(id).end).toEqual({ reason: 'cancelled', atMs: rig.wallMs })
  })

  it.each([false, true])('of a cancelled task has happened already (on disk: %s)', (isOnDisk) => {
    const { rig, id } = ended('cancelled', isOnDisk)

    expect(rig.cancel([id], 'second')).toEqual({ ok: 0, already: [0], outcomes: ['cancelled'] })
  })

  it.each(['completed', 'dead', 'expired'])(
    'of a task that has ended as %s is refused',
    (state) => {
      for (const isOnDisk of [false, true]) {
        const { rig, id } = ended(state, isOnDisk)

        expect(rig.cancel([id])).toEqual({ ...refusedWith('INVALID_STATE'), outcomes: [null] })
        expect(rig.stateOf(id)).toBe(state)
      }
    },
  )

  it('of a task that nobody knows is refused; the others are cancelled', () => {
    const rig = anEngine()
    const id = rig.add('mail')

    expect(rig.cancel([aTaskId('mail', 99), id])).toEqual({
      ok: 1,
      refused: [[0, 'NOT_FOUND', expect.stringContaining('it never was, or it was not kept')]],
      outcomes: [null, 'cancelled'],
    })
  })

  it('is not for the next lease of the task, if the attempt ended before', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    const held = rig.leaseOne()
    rig.cancel([id])
    rig.release([held])
    rig.commit()
    rig.redrive([id])

    expect(rig.leaseOne().cancelRequested).toBe(false)
  })
})

describe('redrive', () => {
  it.each(['dead', 'cancelled', 'expired'])('gives a task that is %s a new life', (state) => {
    const { rig, id } = ended(state, true)
    const createdAtMs = rig.ended.get(hexOf(id))?.createdAtMs
    rig.pass(5_000)

    expect(rig.redrive([id])).toEqual({ ok: 1 })

    expect(rig.task(id)).toMatchObject({
      state: 'queued',
      generation: 1,
      attempt: 1,
      failures: 0,
      losses: 0,
      createdAtMs,
    })
    expect(rig.task(id)).not.toHaveProperty('end')
    expect(rig.state.tasks.rankBaseMs(rig.row(id))).toBe(rig.wallMs)
    expect(rig.leaseOne().id).toEqual(id)
  })

  it('counts each life, and gives it all its attempts again', () => {
    const rig = anEngine()
    const id = rig.add('mail', {
      maxAttempts: 2,
      priority: 9,
      timeoutMs: 77,
      payload: new Uint8Array(5),
    })
    for (let life = 0; life < 3; life += 1) {
      expect(rig.task(id)).toMatchObject({ generation: life, maxAttempts: 2, priority: 9 })
      expect(rig.task(id)).toMatchObject({ timeoutMs: 77, payloadBytes: 5 })
      rig.fail([{ ...rig.leaseOne(), retryAfterMs: 0 }])
      rig.expire()
      expect(rig.fail([rig.leaseOne()]).outcomes).toEqual([['dead', 0]])
      rig.commit()
      rig.redrive([id])
    }
  })

  it('goes behind those that wait already, and its old time to live is over', () => {
    const { rig, id } = ended('expired', true)
    const waiting = rig.add('mail')
    rig.redrive([id])
    rig.pass(10_000).expire()

    expect(rig.lease({ max: 9 }).map((claimed) => claimed.id)).toEqual([waiting, id])
  })

  it('keeps the chapters of history and whether there is an idempotency key', () => {
    const rig = anEngine()
    const id = rig.add('mail', { idempotencyKey: 'k' })
    rig.release([rig.leaseOne()])
    rig.cancel([id])
    rig.commit()
    rig.redrive([id])

    const { tasks } = rig.state
    expect(tasks.chapters(rig.row(id))).toBe(2)
    expect(tasks.hasFlag(rig.row(id), FLAG_KEYED)).toBe(true)
    expect(rig.enqueue('mail', [])).toEqual({ count: 0 })
  })

  it('fences out the last life: its token is stale', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    const held = rig.leaseOne()
    rig.fail([{ ...held, retryable: false }])
    rig.commit()
    rig.redrive([id])
    const again = rig.leaseOne()

    expect(again.token).toBeGreaterThan(held.token)
    expect(rig.complete([held])).toMatchObject(refusedWith('STALE_LEASE'))
  })

  it('is refused for a completed task', () => {
    const { rig, id } = ended('completed', true)

    expect(rig.redrive([id])).toEqual(refusedWith('INVALID_STATE'))
  })

  it.each(['queued', 'running'])('is refused for a task that is %s', (state) => {
    const rig = anEngine()
    const id = rig.add('mail')
    if (state === 'running') rig.leaseOne()

    expect(rig.redrive([id])).toEqual(refusedWith('INVALID_STATE'))
  })

  it('has to wait until the end of the task is on disk', () => {
    const { rig, id } = ended('dead', false)

    expect(rig.redrive([id])).toEqual(refusedWith('UNAVAILABLE'))
    rig.commit()
    expect(rig.redrive([id])).toEqual({ ok: 1 })
  })

  it('is refused for a task that nobody knows, and for one that stands twice in the request', () => {
    const { rig, id } = ended('dead', true)

    expect(rig.redrive([aTaskId('mail', 99)])).toEqual(refusedWith('NOT_FOUND'))
    expect(rig.redrive([id, id])).toMatchObject({
      ok: 1,
      refused: [[1, 'INVALID_STATE', expect.any(String)]],
    })
  })

  it.each([{ tasksMax: 1 }, { queueDefaults: { tasksMax: 1 } }])(
    'takes no more tasks than there is room for (%o)',
    (options) => {
      const rig = anEngine(options)
      const ids = [rig.add('mail')]
      rig.cancel(ids)
      ids.push(rig.add('mail'))
      rig.cancel(ids.slice(1))
      rig.commit()

      expect(rig.redrive(ids)).toEqual({
        ok: 1,
        refused: [[1, 'RESOURCE_EXHAUSTED', expect.stringContaining('its limit is 1')]],
      })
    },
  )
})

describe('set-priority', () => {
  it('moves a ready task to its new place, up and down', () => {
    const rig = anEngine()
    const [first, second, third] = [rig.add('mail'), rig.add('mail'), rig.add('mail')]

    expect(rig.setPriority([third as TaskIdBytes], 200)).toEqual({ ok: 1 })
    rig.setPriority([first as TaskIdBytes], 50)

    expect(rig.lease({ max: 9 }).map(({ id }) => id)).toEqual([third, second, first])
  })

  it('holds for a task in any live state when it becomes ready', () => {
    const rig = anEngine()
    const [held, retrying] = [rig.add('mail'), rig.add('mail')]
    const lease = rig.leaseOne()
    rig.fail([{ ...rig.leaseOne(), retryAfterMs: 100 }])
    const scheduled = rig.add('mail', { delayMs: 100 })
    const plain = rig.add('mail')

    expect(rig.setPriority([held, retrying, scheduled], 250)).toEqual({ ok: 3 })
    rig.release([lease])
    rig.pass(100).expire()

    const served = rig.lease({ max: 9 })
    expect(served.map(({ id }) => id)).toEqual([held, retrying, scheduled, plain])
    expect(served.map(({ priority }) => priority)).toEqual([250, 250, 250, 128])
  })

  it('that a task has already is no change', () => {
    const rig = anEngine()
    const id = rig.add('mail', { priority: 7 })

    expect(rig.setPriority([id], 7)).toEqual({ ok: 0, already: [0] })
    expect(rig.facts).toEqual([])
  })

  it('is refused for a task that has ended, in memory and on disk', () => {
    for (const isOnDisk of [false, true]) {
      const { rig, id } = ended('dead', isOnDisk)
      expect(rig.setPriority([id], 7)).toEqual(refusedWith('INVALID_STATE'))
    }
  })

  it('is refused for a task that nobody knows', () => {
    expect(anEngine().setPriority([aTaskId('mail', 99)], 7)).toEqual(refusedWith('NOT_FOUND'))
  })
})

describe('quarantine', () => {
  it.each([true, false])('sets a leased task aside as dead, at no cost (started: %s)', (start) => {
    const rig = anEngine()
    const id = rig.add('mail')
    const held = rig.leaseOne({ start })

    expect(rig.quarantine([held])).toEqual({ ok: 1 })

    expect(rig.task(id)).toMatchObject({
      state: 'dead',
      failures: 0,
      losses: 0,
      end: { reason: 'unreadable_payload', error: { type: 'UnreadablePayload' } },
    })
    expect(rig.complete([held])).toMatchObject({
      refused: [[0, 'INVALID_STATE', expect.any(String)]],
    })
  })

  it('does nothing to a task that is no longer held under that token', () => {
    const rig = anEngine()
    const [released, completed] = [rig.add('mail'), rig.add('mail')]
    const first = rig.leaseOne()
    const second = rig.leaseOne()
    rig.release([first])
    rig.complete([second])
    const unknown = { id: aTaskId('mail', 99), token: 1 }

    expect(rig.quarantine([first, second, unknown])).toEqual({
      ok: 0,
      already: [0, 1, 2],
    })
    expect([released, completed].map((id) => rig.stateOf(id))).toEqual(['queued', 'completed'])
  })

  it('ends a task as cancelled of which somebody asked that', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    const held = rig.leaseOne()
    rig.cancel([id], 'no longer wanted')

    expect(rig.quarantine([held])).toEqual({ ok: 1 })

    const end = { reason: 'cancelled', note: 'no longer wanted' }
    expect(rig.task(id)).toMatchObject({ state: 'cancelled', end })
  })

  it('may be undone by a redrive, for a person who has mended the store', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.quarantine([rig.leaseOne()])
    rig.commit()

    expect(rig.redrive([id])).toEqual({ ok: 1 })
  })
})
