// Which task goes first: order among lanes, requirements, and the turns of several queues.

import { compareHeads, type LaneHead, type QueueOrder } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anEngine, type EngineRig } from '../../test/engine-builder.ts'
import { assertProperty } from '../../test/property.ts'
import { aSession } from '../../test/task-builder.ts'
import { visitingOrder } from './pick.ts'
import type { Queue } from './queue.ts'
import { sessionKey } from './session.ts'

describe('the order of a queue', () => {
  it('is first in, first out among equals', () => {
    const rig = anEngine()
    const ids = [1, 2, 3, 4, 5].map(() => rig.add('mail'))

    expect(servedOneByOne(rig)).toEqual(ids)
  })

  it('puts the more urgent first among tasks of the same moment', () => {
    const rig = anEngine()
    const [low, high, middle] = [10, 250, 128].map((priority) => rig.add('mail', { priority }))

    expect(servedOneByOne(rig)).toEqual([high, middle, low])
  })

  it('lets a level of priority weigh as much as its aging, to the millisecond', () => {
    const rig = anEngine({ queueDefaults: { agingMsPerLevel: 1_000 } })
    const old = rig.add('mail', { priority: 10 })
    rig.pass(1_999)
    const overtakes = rig.add('mail', { priority: 12 })
    rig.pass(1)
    const equal = rig.add('mail', { priority: 12 })
    rig.pass(1)
    const late = rig.add('mail', { priority: 12 })

    expect(servedOneByOne(rig)).toEqual([overtakes, old, equal, late])
  })

  it('knows only priority and age when it is strict', () => {
    const rig = anEngine({ queueDefaults: { order: 'strict', agingMsPerLevel: 1 } })
    const old = rig.add('mail', { priority: 10 })
    rig.pass(365 * 24 * 3_600_000)
    const urgent = rig.add('mail', { priority: 11 })
    const lateUrgent = rig.add('mail', { priority: 11 })

    expect(servedOneByOne(rig)).toEqual([urgent, lateUrgent, old])
  })

  it('changes with the settings of the queue, for tasks that wait already', () => {
    const rig = anEngine({ queueDefaults: { agingMsPerLevel: 60_000 } })
    const old = rig.add('mail', { priority: 100 })
    rig.pass(5_000)
    const urgent = rig.add('mail', { priority: 101 })
    const claims = (): unknown[] => {
      const taken = [rig.leaseOne(), rig.leaseOne()]
      rig.release(taken)
      return taken.map(({ id }) => id)
    }

    expect(claims()).toEqual([urgent, old])
    rig.setQueue('mail', { agingMsPerLevel: 1_000 })
    expect(claims()).toEqual([old, urgent])
    rig.setQueue('mail', { order: 'strict' })
    expect(claims()).toEqual([urgent, old])
  })

  it('ranks a delayed task by its due time, not by its enqueue', () => {
    const rig = anEngine({ queueDefaults: { agingMsPerLevel: 1_000 } })
    const delayed = rig.add('mail', { delayMs: 10_000, priority: 128 })
    rig.pass(9_000)
    const waiting = rig.add('mail')
    rig.pass(1_000)
    rig.expire()

    expect(servedOneByOne(rig)).toEqual([waiting, delayed])
  })

  it('keeps the rank of a task through release, retry, loss and set-priority', () => {
    const rig = anEngine({ queueDefaults: { agingMsPerLevel: 60_000 } })
    const ids = ['released', 'retried', 'lost', 'reprioritised'].map(() => rig.add('mail'))
    rig.pass(1)
    const [released, retried, lost] = [1, 2, 3].map(() => rig.lease({ leaseMs: 5_000 }))
    const younger = rig.add('mail')

    rig.release(released ?? [])
    rig.fail((retried ?? []).map((held) => ({ ...held, retryAfterMs: 1_000 })))
    rig.setPriority([ids[3] as Uint8Array], 200)
    rig.setPriority([ids[3] as Uint8Array], 128)
    rig.pass(5_000)
    rig.expire()

    expect((lost ?? []).map(({ id }) => rig.task(id))).toMatchObject([
      { state: 'queued', losses: 1 },
    ])
    expect(servedOneByOne(rig)).toEqual([...ids, younger])
  })

  describe('properties', () => {
    const anyTask = fc.record({
      priority: fc.nat(255),
      waitMs: fc.nat(5_000),
      delayMs: fc.nat(3_000),
    })
    const anyOrder = fc.record({
      kind: fc.constantFrom<QueueOrder>('aging', 'strict'),
      agingMsPerLevel: fc.constantFrom(0, 1, 10, 100, 60_000),
    })

    it('is the order of compareHeads for any set of tasks', () => {
      const property = fc.property(
        fc.array(anyTask, { maxLength: 25 }),
        anyOrder,
        (wishes, order) => {
          const { kind, agingMsPerLevel } = order
          const rig = anEngine({ queueDefaults: { order: kind, agingMsPerLevel } })
          const tasks = enqueueAll(rig, wishes)

          const expected = tasks.toSorted((a, b) => compareHeads(a, b, order)).map(({ id }) => id)
          expect(servedOneByOne(rig)).toEqual(expected)
        },
      )
      assertProperty(property, 150)
    })

    it('gives one claim for many the same tasks as many claims for one', () => {
      const property = fc.property(
        fc.array(anyTask, { maxLength: 25 }),
        anyOrder,
        fc.integer({ min: 1, max: 9 }),
        (wishes, { kind, agingMsPerLevel }, max) => {
          const rig = anEngine({ queueDefaults: { order: kind, agingMsPerLevel } })
          enqueueAll(rig, wishes)
          const inMany: Uint8Array[] = []
          for (let got = rig.lease({ max }); got.length > 0; got = rig.lease({ max })) {
            inMany.push(...got.map(({ id }) => id))
          }
          rig.leave('w1')
          expect(servedOneByOne(rig)).toEqual(inMany)
        },
      )
      assertProperty(property, 60)
    })

    it('never lets a task overtake that became ready more than its levels of aging later', () => {
      const property = fc.property(
        fc.array(anyTask, { minLength: 2, maxLength: 20 }),
        fc.constantFrom(0, 1, 7, 20),
        (wishes, agingMsPerLevel) => {
          const rig = anEngine({ queueDefaults: { agingMsPerLevel } })
          const tasks = enqueueAll(rig, wishes)
          const place = new Map(servedOneByOne(rig).map((id, at) => [text(id), at]))
          for (const early of tasks) {
            for (const late of tasks) {
              const boundMs = Math.max(0, late.priority - early.priority) * agingMsPerLevel
              if (late.rankBaseMs - early.rankBaseMs <= boundMs) continue
              expect(place.get(text(early.id))).toBeLessThan(place.get(text(late.id)) as number)
            }
          }
        },
      )
      assertProperty(property, 100)
    })
  })

  it('starves nobody: a stream of urgent tasks delays the humblest by its bound and no longer', () => {
    const rig = anEngine({ queueDefaults: { agingMsPerLevel: 10 } })
    const humble = rig.add('mail', { priority: 0 })
    const begunMs = rig.wallMs
    rig.add('mail', { priority: 255 })
    for (let served = 0; served < 100; served += 1) {
      rig.pass(100)
      rig.add('mail', { priority: 255 }) // one more always waits
      const { id, token } = rig.leaseOne()
      rig.complete([{ id, token }])
      if (text(id) === text(humble)) break
    }

    expect(rig.stateOf(humble)).toBe('completed')
    expect(rig.wallMs - begunMs).toBeGreaterThan(255 * 10)
    expect(rig.wallMs - begunMs).toBeLessThanOrEqual(255 * 10 + 200)
  })
})

describe('minPriority', () => {
  it('takes tasks of that priority and above, and leaves the rest', () => {
    const rig = anEngine()
    const [low, exact, high] = [127, 128, 129].map((priority) => rig.add('mail', { priority }))

    const claimed = rig.lease({ max: 10, minPriority: 128 })

    expect(claimed.map(({ id }) => id)).toEqual([high, exact])
    expect(rig.lease({ minPriority: 128 })).toEqual([])
    expect(rig.leaseOne({ minPriority: 0 }).id).toEqual(low)
  })
})

describe('requirements', () => {
  it('let a task go to none but a worker with the labels, past those that need none', () => {
    const rig = anEngine()
    const gpu = rig.add('mail', { requires: { gpu: true } })
    const plain = rig.add('mail')
    rig.register('with', { labels: { gpu: true } })
    rig.register('without')

    expect(rig.lease({ session: 'unregistered', max: 5 }).map(({ id }) => id)).toEqual([plain])
    expect(rig.lease({ session: 'without', max: 5 })).toEqual([])
    expect(rig.lease({ session: 'with', max: 5 }).map(({ id }) => id)).toEqual([gpu])
  })

  it('are compared across groups by the order of the queue', () => {
    const rig = anEngine({ queueDefaults: { agingMsPerLevel: 1_000 } })
    rig.register('with', { labels: { gpu: true, zone: 'a' } })
    const ids = [{ gpu: true }, { zone: 'a' }, undefined, { zone: 'a' }, { gpu: true }].map(
      (requires) => {
        rig.pass(1)
        return rig.add('mail', requires === undefined ? {} : { requires })
      },
    )

    expect(rig.lease({ session: 'with', max: 9 }).map(({ id }) => id)).toEqual(ids)
  })

  it('are looked at anew when a queue gets tasks of another kind', () => {
    const rig = anEngine()
    rig.register('with', { labels: { gpu: true } })
    rig.add('mail')
    rig.leaseOne({ session: 'with' })
    const gpu = rig.add('mail', { requires: { gpu: true } })

    expect(rig.leaseOne({ session: 'with' }).id).toEqual(gpu)
  })

  it('are looked at anew when a worker registers with other labels', () => {
    const rig = anEngine()
    const gpu = rig.add('mail', { requires: { gpu: true } })
    rig.register('w1')
    expect(rig.lease()).toEqual([])

    rig.register('w1', { labels: { gpu: true } })

    expect(rig.leaseOne().id).toEqual(gpu)
  })

  it('that are remembered for a session are those of its labels only', () => {
    const rig = anEngine()
    rig.add('mail', { requires: { gpu: true } })
    rig.add('mail', { requires: { zone: 'a' } })
    rig.register('w1', { labels: { zone: 'a' } })
    rig.lease({ max: 5 })

    const session = rig.state.sessionsByKey.get(sessionKey(aSession('w1').id))
    const queue = rig.state.queuesByName.get('mail') as Queue
    expect(session?.matches.get(queue)?.groups.map(({ requires }) => requires)).toEqual([
      { zone: 'a' },
    ])
  })
})

describe('a claim over several queues', () => {
  it('goes round them, and each claim begins one queue further', () => {
    const rig = anEngine()
    for (const name of ['a', 'b', 'c']) for (let count = 0; count < 4; count += 1) rig.add(name)
    const claim = (number: number): string[] =>
      rig.lease({ queues: ['a', 'b', 'c'], max: 4, claim: number }).map(({ queue }) => queue)

    expect(claim(3)).toEqual(['a', 'b', 'c', 'a'])
    expect(claim(4)).toEqual(['b', 'c', 'a', 'b'])
    expect(claim(5)).toEqual(['c', 'a', 'b', 'c'])
  })

  it('leaves out queues without work and goes on with the others when one runs dry', () => {
    const rig = anEngine()
    rig.add('a')
    for (let count = 0; count < 3; count += 1) rig.add('c')

    const claimed = rig.lease({ queues: ['a', 'nothing', 'c'], max: 9, claim: 2 })

    expect(claimed.map(({ queue }) => queue)).toEqual(['a', 'c', 'c', 'c'])
  })

  it('takes them in the order named when it is strict, whatever the number of the claim', () => {
    const rig = anEngine()
    for (const name of ['a', 'b']) for (let count = 0; count < 2; count += 1) rig.add(name)

    const claimed = rig.lease({ queues: ['b', 'a'], order: 'strict', max: 3, claim: 1 })

    expect(claimed.map(({ queue }) => queue)).toEqual(['b', 'b', 'a'])
  })

  it('gives each queue its weight, spread over the round', () => {
    const rig = anEngine()
    for (const name of ['a', 'b']) for (let count = 0; count < 20; count += 1) rig.add(name)

    const claimed = rig.lease({ queues: ['a', 'b'], weights: { a: 3 }, max: 8, claim: 4 })

    expect(claimed.map(({ queue }) => queue).join('')).toBe('abaaabaa')
  })

  it('keeps to the weights over many claims for one', () => {
    const rig = anEngine()
    for (const name of ['a', 'b', 'c']) for (let count = 0; count < 40; count += 1) rig.add(name)
    const shares: Record<string, number> = {}
    for (let count = 0; count < 30; count += 1) {
      const { queue } = rig.leaseOne({ queues: ['a', 'b', 'c'], weights: { a: 3, c: 2 } })
      shares[queue] = (shares[queue] ?? 0) + 1
    }

    expect(shares).toEqual({ a: 15, b: 5, c: 10 })
  })

  it('knows no weight that the request did not give, whatever a queue is called', () => {
    const rig = anEngine()
    rig.add('constructor')
    rig.add('mail')

    const claimed = rig.lease({ queues: ['constructor', 'mail'], weights: { mail: 2 }, max: 5 })

    expect(claimed).toHaveLength(2)
  })
})

describe('visitingOrder', () => {
  it('names each queue as often as its weight says, from any start', () => {
    const anyWeights = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 8 })
    const property = fc.property(anyWeights, fc.nat(1_000), (weights, start) => {
      const order = visitingOrder(weights.map(ofWeight), start)
      expect(order).toHaveLength(weights.reduce((sum, weight) => sum + weight, 0))
      for (const [index, weight] of weights.entries()) {
        expect(order.filter((visit) => visit === index)).toHaveLength(weight)
      }
      const shifted = visitingOrder(weights.map(ofWeight), start + 1)
      expect(shifted).toEqual([...order.slice(1), ...order.slice(0, 1)])
    })
    assertProperty(property, 200)
  })
})

const ofWeight = (weight: number): { weight: number } => ({ weight })

/** Every ready task of the queue in the order in which claims for one get them. */
function servedOneByOne(rig: EngineRig): Uint8Array[] {
  const ids: Uint8Array[] = []
  for (;;) {
    const [claimed] = rig.lease({ max: 1, leaseMs: 3_600_000 })
    if (claimed === undefined) return ids
    ids.push(claimed.id)
  }
}

interface Enqueued extends LaneHead {
  readonly id: Uint8Array
}

/** Enqueues tasks one after the other and lets all of them become due. */
function enqueueAll(
  rig: EngineRig,
  wishes: readonly { priority: number; waitMs: number; delayMs: number }[],
): Enqueued[] {
  const tasks = wishes.map(({ priority, waitMs, delayMs }, index) => {
    rig.pass(waitMs)
    const id = rig.add('mail', { priority, delayMs })
    return { id, priority, rankBaseMs: rig.wallMs + delayMs, sequence: index + 1 }
  })
  rig.pass(3_000)
  rig.expire()
  return tasks
}

function text(id: Uint8Array): string {
  return Buffer.from(id).toString('hex')
}
