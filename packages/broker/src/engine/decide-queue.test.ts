// Queues: set, paused, resumed, purged.

import { limits } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { anEngine, type EngineRig } from '../../test/engine-builder.ts'
import { accepted, aTask } from '../../test/task-builder.ts'
import { apply } from './apply.ts'
import { DEFAULT_QUEUE_SETTINGS, type Queue } from './queue.ts'

function queueOf(rig: EngineRig, name: string): Queue | undefined {
  return rig.state.queuesByName.get(name)
}

function fillWithQueues(rig: EngineRig): void {
  for (let number = 1; number <= limits.QUEUES_MAX; number += 1) {
    const settings = DEFAULT_QUEUE_SETTINGS
    const by = { atMs: 0, actor: 'recovery' }
    apply(rig.state, { kind: 'queue-created', number, name: `queue-${number}`, settings, ...by })
  }
}

describe('queue-set', () => {
  it('makes a queue, also where none is made by use, and answers all its settings', () => {
    const rig = anEngine({ autoCreateQueues: false, queueDefaults: { maxLost: 9 } })
    const settings = { ...DEFAULT_QUEUE_SETTINGS, maxLost: 9, maxAttempts: 2 }

    expect(rig.setQueue('mail', { maxAttempts: 2 })).toEqual({ settings })

    expect(rig.factKinds).toEqual(['queue-created', 'queue-changed'])
    expect(queueOf(rig, 'mail')?.settings).toEqual(settings)
  })

  it('changes what it names and leaves the rest', () => {
    const rig = anEngine()
    rig.setQueue('mail', { maxAttempts: 2 })

    expect(rig.setQueue('mail', { maxLost: 7 })).toMatchObject({
      settings: { maxAttempts: 2, maxLost: 7, order: 'aging' },
    })
    expect(rig.factKinds).toEqual(['queue-changed'])
  })

  it('is for tasks that come later: what is settled at the enqueue stays', () => {
    const rig = anEngine()
    const before = rig.add('mail')
    rig.setQueue('mail', { maxAttempts: 1 })
    const after = rig.add('mail')

    rig.fail(rig.lease({ max: 2 }))

    expect([rig.stateOf(before), rig.stateOf(after)]).toEqual(['retrying', 'dead'])
  })

  it('does not wake a queue nor end its pause', () => {
    const rig = anEngine()
    rig.pause('mail', 'maintenance')
    rig.setQueue('mail', { maxLost: 7 })

    expect(queueOf(rig, 'mail')).toMatchObject({ paused: true, pauseReason: 'maintenance' })
    expect(rig.state.woken.size).toBe(0)
  })

  it('is refused if the broker keeps as many queues as it may', () => {
    const rig = anEngine()
    fillWithQueues(rig)

    expect(rig.setQueue('one-more', {})).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
    expect(rig.setQueue('queue-5', { maxLost: 1 })).toMatchObject({ settings: { maxLost: 1 } })
  })
})

describe('queue-pause', () => {
  it('stops claims and nothing else: held tasks go on', () => {
    const rig = anEngine()
    rig.add('mail')
    const held = rig.leaseOne()
    rig.add('mail')

    expect(rig.pause('mail', 'maintenance')).toEqual({ changed: true })

    expect(rig.lease()).toEqual([])
    expect(rig.heartbeat([held])).toEqual({ stop: [], released: 0 })
    expect(rig.complete([held])).toEqual({ ok: 1 })
    expect(queueOf(rig, 'mail')).toMatchObject({ paused: true, pauseReason: 'maintenance' })
  })

  it('twice changes nothing the second time', () => {
    const rig = anEngine()
    rig.pause('mail', 'first')

    expect(rig.pause('mail', 'second')).toEqual({ changed: false })
    expect(rig.facts).toEqual([])
    expect(queueOf(rig, 'mail')?.pauseReason).toBe('first')
  })

  it('of a queue that nobody knows makes it, so that it is paused from the start', () => {
    const rig = anEngine()

    expect(rig.pause('mail')).toEqual({ changed: true })
    rig.add('mail')
    expect(rig.lease()).toEqual([])
  })

  it('keeps what comes ready meanwhile from waking anybody', () => {
    const rig = anEngine()
    rig.add('mail', { delayMs: 5 })
    rig.pause('mail')

    rig.pass(5).expire()

    expect(queueOf(rig, 'mail')?.countOf('queued')).toBe(1)
    expect(rig.state.woken.size).toBe(0)
  })

  it('is refused if the broker keeps as many queues as it may', () => {
    const rig = anEngine()
    fillWithQueues(rig)

    expect(rig.pause('one-more')).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
  })
})

describe('queue-resume', () => {
  it('lets claims go on and wakes the queue', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.pause('mail', 'maintenance')
    rig.state.woken.clear()

    expect(rig.resume('mail')).toEqual({ changed: true })

    expect([...rig.state.woken].map(({ name }) => name)).toEqual(['mail'])
    expect(queueOf(rig, 'mail')).toMatchObject({ paused: false, pauseReason: undefined })
    expect(rig.leaseOne().id).toEqual(id)
  })

  it('of a running queue changes nothing', () => {
    const rig = anEngine()
    rig.add('mail')

    expect(rig.resume('mail')).toEqual({ changed: false })
    expect(rig.facts).toEqual([])
  })

  it('of a queue that nobody knows is refused', () => {
    expect(anEngine().resume('mail')).toMatchObject({
      code: 'NOT_FOUND',
      details: { queue: 'mail' },
    })
  })
})

describe('queue-purge', () => {
  it('takes what waits, in whatever state, and leaves what is held and other queues', () => {
    const rig = anEngine()
    const held = rig.add('mail')
    rig.leaseOne()
    const assigned = rig.add('mail')
    rig.leaseOne({ start: false })
    const retrying = rig.add('mail')
    rig.fail([rig.leaseOne()])
    const waiting = [retrying, rig.add('mail', { ttlMs: 9 }), rig.add('mail', { delayMs: 9 })]
    const other = rig.add('bills')

    expect(rig.purge('mail', { reason: 'a mistake' })).toEqual({ purged: 3, cursor: null })

    expect(waiting.map((id) => rig.stateOf(id))).toEqual(['cancelled', 'cancelled', 'cancelled'])
    expect(rig.task(retrying).end).toMatchObject({ reason: 'cancelled', note: 'a mistake' })
    expect([held, assigned, other].map((id) => rig.stateOf(id))).toEqual([
      'running',
      'assigned',
      'queued',
    ])
    rig.commit()
    expect(rig.stateOf(retrying)).toBeUndefined()
  })

  it('takes from a paused queue as well, and a task once only', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.pause('mail')

    expect(rig.purge('mail')).toEqual({ purged: 1, cursor: null })
    expect(rig.purge('mail')).toEqual({ purged: 0, cursor: null })
  })

  it('of a queue that nobody knows is refused, before its cursor is looked at', () => {
    expect(anEngine().purge('mail', { cursor: '?' })).toMatchObject({ code: 'NOT_FOUND' })
  })

  it.each(['', 'x', '1', '1-', '-1', '1-2-3', '1.5-2', '12345678901-1', ' 1-1'])(
    'is refused with the cursor "%s", which no purge has answered',
    (cursor) => {
      const rig = anEngine()
      rig.add('mail')

      expect(rig.purge('mail', { cursor })).toMatchObject({ code: 'BAD_REQUEST' })
      expect(rig.state.liveCount).toBe(1)
    },
  )

  it('ends at once with a cursor beyond all tasks', () => {
    const rig = anEngine()
    rig.add('mail')

    expect(rig.purge('mail', { cursor: '9999999999-5' })).toEqual({ purged: 0, cursor: null })
  })

  it('of many goes in steps, and takes only what was there when it began', () => {
    const rig = anEngine()
    const MAX = limits.STEP_ITEMS_MAX
    const many = (count: number) => Array.from({ length: count }, () => aTask())
    rig.enqueue('mail', many(MAX))
    rig.enqueue('mail', many(10))
    const first = accepted(rig.purge('mail'))
    expect(first).toEqual({ purged: MAX, cursor: expect.any(String) })

    // The rows of the purged are used again for tasks that come later: they stay.
    rig.commit()
    const later = [rig.add('mail'), rig.add('mail')]
    const redriven = rig.add('bills')
    rig.cancel([redriven])
    rig.commit()
    rig.redrive([redriven])
    const second = accepted(rig.purge('mail', { cursor: first.cursor as string }))

    expect(second).toEqual({ purged: 10, cursor: null })
    expect(later.map((id) => rig.stateOf(id))).toEqual(['queued', 'queued'])
    expect(rig.state.liveCount).toBe(3)
  })

  it('leaves a task that was redriven after it began', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.cancel([id])
    rig.commit()
    const began = rig.state.nextSequence
    rig.redrive([id])

    expect(rig.purge('mail', { cursor: `0-${began}` })).toEqual({ purged: 0, cursor: null })
    expect(rig.stateOf(id)).toBe('queued')
  })

  it('looks at a bounded number of tasks in a step, also at those of other queues', () => {
    const rig = anEngine()
    for (let count = 0; count < 20; count += 1) {
      rig.enqueue(
        'bills',
        Array.from({ length: 1_000 }, () => aTask()),
      )
    }
    rig.add('mail')

    const first = accepted(rig.purge('mail'))
    expect(first).toEqual({ purged: 0, cursor: `20000-${rig.state.nextSequence}` })
    expect(rig.purge('mail', { cursor: first.cursor as string })).toEqual({
      purged: 1,
      cursor: null,
    })
  })
})
