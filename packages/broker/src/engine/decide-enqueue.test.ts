// Enqueue: deduplicate, check limits, then all tasks or none.

import { DEFAULT_TIMEOUT_MS, limits, slotOfQueue, type TaskOptions } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { anEngine, type EngineRig } from '../../test/engine-builder.ts'
import { aTask, aTaskId } from '../../test/task-builder.ts'
import { apply } from './apply.ts'
import type { Refusal } from './decision.ts'
import { hexOf } from './held.ts'
import { DEFAULT_QUEUE_SETTINGS } from './queue.ts'

describe('enqueue', () => {
  it('makes a task ready at once, with the defaults of its queue', () => {
    const rig = anEngine()
    const id = aTaskId('mail', 1)

    expect(rig.enqueue('mail', [aTask({ id, payload: Uint8Array.of(1, 2, 3) })])).toEqual({
      count: 1,
    })

    expect(rig.task(id)).toEqual({
      id,
      queue: 'mail',
      type: 'send',
      state: 'queued',
      priority: 128,
      attempt: 1,
      failures: 0,
      losses: 0,
      generation: 0,
      maxAttempts: 5,
      maxLost: 3,
      createdAtMs: rig.wallMs,
      timeoutMs: DEFAULT_TIMEOUT_MS,
      payloadBytes: 3,
    })
  })

  it('creates a queue on first use, once, with the defaults of the broker', () => {
    const rig = anEngine({ queueDefaults: { maxAttempts: 9 } })

    rig.enqueue('mail', [aTask(), aTask()])
    expect(rig.factKinds).toEqual(['queue-created', 'task-enqueued', 'task-enqueued'])
    rig.enqueue('mail', [aTask()])
    expect(rig.factKinds).toEqual(['task-enqueued'])
    rig.add('bills')

    const queues = [...rig.state.queuesByName.values()]
    expect(queues.map(({ number, name }) => [number, name])).toEqual([
      [1, 'mail'],
      [2, 'bills'],
    ])
    expect(queues[0]?.settings.maxAttempts).toBe(9)
  })

  it('numbers tasks in the order in which they came', () => {
    const rig = anEngine()
    rig.enqueue('mail', [aTask(), aTask()])
    const id = rig.add('bills')

    expect(rig.state.tasks.sequence(rig.row(id))).toBe(3)
    expect(rig.state.nextSequence).toBe(4)
  })

  it('wakes the queue, so that parked claims may go on', () => {
    const rig = anEngine()
    rig.add('mail')

    expect([...rig.state.woken].map(({ name }) => name)).toEqual(['mail'])
  })

  it('takes tasks into a paused queue without waking it', () => {
    const rig = anEngine()
    rig.pause('mail')

    expect(rig.stateOf(rig.add('mail'))).toBe('queued')
    expect(rig.state.woken.size).toBe(0)
  })
})

describe('a due time', () => {
  it('schedules the task until then', () => {
    const rig = anEngine()
    const delayed = rig.add('mail', { delayMs: 1_000 })
    const dated = rig.add('mail', { runAtMs: rig.wallMs + 2_000 })

    expect(rig.task(delayed)).toMatchObject({ state: 'scheduled', dueAtMs: rig.wallMs + 1_000 })
    expect(rig.task(dated)).toMatchObject({ state: 'scheduled', dueAtMs: rig.wallMs + 2_000 })
    expect(rig.state.woken.size).toBe(0)
  })

  it.each([
    ['now', 0],
    ['in the past', -5_000],
  ])('that is %s makes the task ready at once, ranked from now', (_, offsetMs) => {
    const rig = anEngine()
    const id = rig.add('mail', { runAtMs: rig.wallMs + offsetMs })

    expect(rig.stateOf(id)).toBe('queued')
    expect(rig.state.tasks.rankBaseMs(rig.row(id))).toBe(rig.wallMs)
  })

  it('of no delay is none', () => {
    const rig = anEngine()

    expect(rig.stateOf(rig.add('mail', { delayMs: 0 }))).toBe('queued')
  })
})

describe('an execution timeout', () => {
  const timeouts = {
    thumb: { kind: 'fixed', ms: 500 },
    video: { kind: 'duration-hint', factor: 2, floorMs: 10, ceilingMs: 9_000 },
    '*': { kind: 'fixed', ms: 700 },
  } as const

  it.each([
    ['is what the task says', 'thumb', { timeoutMs: 60 }, 60],
    ['follows the policy of its type', 'thumb', {}, 500],
    ['follows the hint where the policy asks for one', 'video', { durationHintMs: 100 }, 200],
    ['follows the policy for all other types', 'else', {}, 700],
  ] as const)('%s', (_, type, options, expected) => {
    const rig = anEngine({ queueDefaults: { timeouts } })

    expect(rig.task(rig.add('mail', { type, ...options })).timeoutMs).toBe(expected)
  })

  it.each(['constructor', 'toString', '__proto__'])(
    'is not taken from what every object has under the name of a type, such as %s',
    (type) => {
      const rig = anEngine()

      expect(rig.task(rig.add('mail', { type })).timeoutMs).toBe(DEFAULT_TIMEOUT_MS)
    },
  )

  it('is settled at the enqueue: later settings are for later tasks', () => {
    const rig = anEngine()
    const before = rig.add('mail')
    rig.setQueue('mail', { timeouts: { '*': { kind: 'fixed', ms: 700 } }, maxAttempts: 2 })
    const after = rig.add('mail')

    expect(rig.task(before)).toMatchObject({ timeoutMs: DEFAULT_TIMEOUT_MS, maxAttempts: 5 })
    expect(rig.task(after)).toMatchObject({ timeoutMs: 700, maxAttempts: 2 })
  })
})

describe('profiles', () => {
  it('are shared by tasks of a type and forgotten with the last of them', () => {
    const rig = anEngine()
    const ids = [rig.add('mail'), rig.add('mail', { priority: 3 }), rig.add('mail', { maxLost: 1 })]
    expect(rig.state.profiles.size).toBe(2)

    rig.cancel(ids)
    rig.commit()

    expect(rig.state.profiles.size).toBe(0)
  })

  it('of more types than are worth remembering are still right', () => {
    const rig = anEngine()
    const types = Array.from({ length: 1_001 }, (_, index) => `type-${index}`)
    rig.enqueue(
      'mail',
      types.slice(0, 1_000).map((type) => aTask({ type })),
    )
    const ids = types.slice(-2).map((type) => rig.add('mail', { type }))

    expect(ids.map((id) => rig.task(id).type)).toEqual(types.slice(-2))
    expect(rig.state.profiles.size).toBe(1_001)
  })
})

describe('an enqueue is refused', () => {
  it('if the queue is unknown and this broker creates none by use', () => {
    const rig = anEngine({ autoCreateQueues: false })

    expect(rig.enqueue('mail', [aTask()])).toMatchObject({
      code: 'NOT_FOUND',
      details: { queue: 'mail' },
    })
    rig.setQueue('mail', {})
    expect(rig.enqueue('mail', [aTask()])).toEqual({ count: 1 })
  })

  it('if the broker keeps as many queues as it may', () => {
    const rig = withQueues(anEngine(), limits.QUEUES_MAX)

    expect(rig.enqueue('one-more', [aTask()])).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: { retryAfterMs: 1_000, queue: 'one-more' },
    })
    expect(rig.enqueue('queue-1', [aTask()])).toEqual({ count: 1 })
  })

  it('if an id has the slot of another queue', () => {
    const rig = anEngine()
    const tasks = [aTask(), aTask({ id: aTaskId('bills', 5) })]

    const refusal = rig.enqueue('mail', tasks)

    expect(refusal).toMatchObject({ code: 'BAD_REQUEST', details: { index: 1 } })
    expect((refusal as Refusal).message).toMatch(
      /^tasks\[1\]: id .* has slot \d+, but queue "mail"/,
    )
  })

  it.each([
    ['next to each other', [1, 2, 2]],
    ['apart', [2, 1, 2]],
  ])('if an id stands twice in it, %s', (_, numbers) => {
    const rig = anEngine()
    const tasks = numbers.map((number) => aTask({ id: aTaskId('mail', number) }))

    expect(rig.enqueue('mail', tasks)).toMatchObject({ code: 'BAD_REQUEST', details: { index: 2 } })
  })

  it('as a whole, though one task only is bad: nothing has changed', () => {
    const rig = anEngine()
    const tasks = [
      aTask({ idempotencyKey: 'k' }),
      aTask(),
      aTask({ id: aTaskId('bills', 9) }),
      aTask(),
    ]

    expect(rig.enqueue('mail', tasks)).toMatchObject({ details: { index: 2 } })

    const { state } = rig
    expect([state.liveCount, state.queuesByName.size, state.pendingKeys.size]).toEqual([0, 0, 0])
    expect([rig.facts, state.nextSequence, state.dirtyCount]).toEqual([[], 1, 0])
  })

  it('names the first bad task if there are several', () => {
    const rig = anEngine()
    const taken = rig.add('mail')
    const tasks = [aTask(), aTask({ id: taken, type: 'other' }), aTask({ id: aTaskId('bills', 9) })]

    expect(rig.enqueue('mail', tasks)).toMatchObject({ code: 'CONFLICT', details: { index: 1 } })
  })
})

describe('a full queue', () => {
  it('refuses what would be one task too many, and says when to come again', () => {
    const rig = anEngine({ queueDefaults: { tasksMax: 3 } })
    rig.enqueue('mail', [aTask(), aTask({ delayMs: 9 })])

    expect(rig.enqueue('mail', [aTask(), aTask()])).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: { retryAfterMs: 1_000, queue: 'mail' },
    })
    expect(rig.enqueue('mail', [aTask()])).toEqual({ count: 1 })
    expect(rig.enqueue('bills', [aTask()])).toEqual({ count: 1 })
  })

  it('has room again as soon as a task has ended', () => {
    const rig = anEngine({ queueDefaults: { tasksMax: 1 } })
    const id = rig.add('mail')
    rig.cancel([id])

    expect(rig.enqueue('mail', [aTask()])).toEqual({ count: 1 })
  })

  it('does not count tasks that are there already', () => {
    const rig = anEngine({ queueDefaults: { tasksMax: 2 } })
    const ids = [rig.add('mail'), rig.add('mail')]

    const again = ids.map((id) => aTask({ id }))

    expect(rig.enqueue('mail', again)).toEqual({ count: 2, existing: [0, 1] })
  })

  it('answers a request that is sent again, even if its limit was lowered meanwhile', () => {
    const rig = anEngine()
    const ids = [rig.add('mail'), rig.add('mail'), rig.add('mail')]
    rig.setQueue('mail', { tasksMax: 1 })

    const again = ids.map((id) => aTask({ id }))

    expect(rig.enqueue('mail', again)).toEqual({ count: 3, existing: [0, 1, 2] })
    expect(rig.enqueue('mail', [aTask()])).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
  })
})

describe('a full broker', () => {
  it('refuses more tasks in whatever queue', () => {
    const rig = anEngine({ tasksMax: 2 })
    rig.add('mail')
    rig.add('bills')

    expect(rig.enqueue('mail', [aTask()])).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: 'the broker holds 2 tasks; its limit is 2',
      details: { retryAfterMs: 1_000 },
    })
  })

  it('says that the queue is full if both are', () => {
    const rig = anEngine({ tasksMax: 1, queueDefaults: { tasksMax: 1 } })
    rig.add('mail')

    expect(rig.enqueue('mail', [aTask()])).toMatchObject({ details: { queue: 'mail' } })
  })
})

describe('sets of requirements', () => {
  const some = (count: number, options: TaskOptions = {}) =>
    Array.from({ length: count }, (_, index) => aTask({ requires: { unit: index }, ...options }))

  it('are bounded in each queue', () => {
    const rig = anEngine()
    rig.enqueue('mail', some(limits.REQUIREMENT_SETS_PER_QUEUE_MAX - 1))

    expect(
      rig.enqueue('mail', [aTask({ requires: { a: 1 } }), aTask({ requires: { b: 1 } })]),
    ).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { retryAfterMs: 1_000 } })
    const sameTwice = [aTask({ requires: { a: 1, b: 2 } }), aTask({ requires: { b: 2, a: 1 } })]
    expect(rig.enqueue('mail', sameTwice)).toEqual({ count: 2 })
    expect(rig.enqueue('mail', [aTask({ requires: { unit: 5 } }), aTask()])).toEqual({ count: 2 })
    expect(rig.enqueue('bills', [aTask({ requires: { c: 1 } })])).toEqual({ count: 1 })
  })

  it('do not hinder a request that is sent again', () => {
    const rig = anEngine()
    const id = rig.add('mail', { requires: { mine: true }, delayMs: 60_000 })
    rig.enqueue('mail', some(limits.REQUIREMENT_SETS_PER_QUEUE_MAX))

    const again = [aTask({ id, requires: { mine: true }, delayMs: 60_000 })]

    expect(rig.enqueue('mail', again)).toEqual({ count: 1, existing: [0] })
  })

  it('no longer count once no task waits with them', () => {
    const rig = anEngine()
    rig.enqueue('mail', some(limits.REQUIREMENT_SETS_PER_QUEUE_MAX))
    const kept = aTaskId('mail', 1)
    const queue = rig.state.queuesByName.get('mail')
    const others = Array.from({ length: limits.REQUIREMENT_SETS_PER_QUEUE_MAX - 1 }, (_, index) =>
      aTaskId('mail', index + 2),
    )
    rig.cancel(others)

    expect(rig.enqueue('mail', [aTask({ requires: { fresh: true } })])).toEqual({ count: 1 })

    expect(queue?.groups.size).toBe(2)
    rig.register('w1', { labels: { unit: 0, fresh: true } })
    expect(rig.lease({ max: 5 }).map(({ id }) => id)[0]).toEqual(kept)
  })

  it('of tasks that become due are never refused, however many they are', () => {
    const rig = anEngine()
    for (const offset of [0, 1]) {
      const tasks = Array.from({ length: 600 }, (_, index) =>
        aTask({ requires: { unit: 2 * index + offset }, delayMs: 10 }),
      )
      expect(rig.enqueue('mail', tasks)).toEqual({ count: 600 })
    }

    rig.pass(10)
    rig.expire()
    rig.expire()

    expect(rig.state.queuesByName.get('mail')?.countOf('queued')).toBe(1_200)
    expect(rig.enqueue('mail', [aTask({ requires: { unit: 'new' } })])).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    })
    expect(rig.enqueue('mail', [aTask({ requires: { unit: 7 } }), aTask()])).toEqual({ count: 2 })
    rig.register('w1', { labels: { unit: 7 } })
    expect(rig.lease({ max: 5 })).toHaveLength(3)
  })
})

describe('an id that is known', () => {
  it('names the same task again: nothing is made, and the reply says so', () => {
    const rig = anEngine()
    const known = rig.add('mail')

    expect(rig.enqueue('mail', [aTask(), aTask({ id: known }), aTask()])).toEqual({
      count: 3,
      existing: [1],
    })
    expect(rig.state.liveCount).toBe(3)
  })

  it.each([
    ['another type', { type: 'other' }],
    ['a payload of another length', { payload: Uint8Array.of(1, 2) }],
  ])('with %s is a conflict', (_, change) => {
    const rig = anEngine()
    const id = rig.add('mail')

    expect(rig.enqueue('mail', [aTask({ id, ...change })])).toMatchObject({ code: 'CONFLICT' })
  })

  it('in another queue of the same slot is a conflict', () => {
    const rig = anEngine()
    const twin = queueLike('mail')
    const id = rig.add('mail')

    expect(rig.enqueue(twin, [aTask({ id })])).toMatchObject({ code: 'CONFLICT' })
  })

  it('is known while its end is on its way to disk, and from disk afterwards', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.cancel([id])
    expect(rig.enqueue('mail', [aTask({ id })])).toEqual({ count: 1, existing: [0] })

    rig.commit()

    expect(rig.enqueue('mail', [aTask({ id })])).toEqual({ count: 1, existing: [0] })
    expect(rig.state.index.find(id)).toBeUndefined()
  })

  it.each([
    ['another type', 'mail', { type: 'other' }],
    ['a payload of another length', 'mail', { payload: Uint8Array.of(1, 2) }],
    ['another queue', queueLike('mail'), {}],
  ])('on disk with %s is a conflict', (_, queue, change) => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.cancel([id])
    rig.commit()

    expect(rig.enqueue(queue, [aTask({ id, ...change })])).toMatchObject({
      code: 'CONFLICT',
      details: { index: 0 },
    })
  })

  it('to the journal only is the same task again', () => {
    const rig = anEngine()
    const id = aTaskId('mail', 9)

    const reply = rig.enqueue('mail', [aTask({ id })], { journaled: new Set([hexOf(id)]) })

    expect(reply).toEqual({ count: 1, existing: [0] })
    expect(rig.state.liveCount).toBe(0)
  })

  it('to nobody any more has an outcome that cannot be told', () => {
    const rig = anEngine()
    const [told, untold] = [aTaskId('mail', 8), aTaskId('mail', 9)]
    const findings = { untold: new Set([hexOf(untold)]) }

    expect(
      rig.enqueue('mail', [aTask({ id: told }), aTask({ id: untold })], findings),
    ).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: { index: 1 },
    })
  })

  it('is not looked for on disk if it was made for this request', () => {
    const rig = anEngine()
    const id = aTaskId('mail', 9)
    const request = { verb: 'enqueue', queue: 'mail', tasks: [aTask({ id })], fresh: true } as const

    const reply = rig.step<'enqueue'>({
      kind: 'enqueue',
      request,
      hashes: [undefined],
      findings: undefined,
    })

    expect(reply).toEqual({ count: 1 })
    expect(rig.stateOf(id)).toBe('queued')
  })
})

describe('an idempotency key', () => {
  const keyed = (change: Parameters<typeof aTask>[0] = {}) =>
    aTask({ idempotencyKey: 'k', ...change })

  it('names one task, while its commit is on the way and when it is on disk', () => {
    const rig = anEngine()
    const id = rig.add('mail', { idempotencyKey: 'k' })
    const found = { count: 1, existing: [0], ids: [id] }

    expect(rig.enqueue('mail', [keyed()])).toEqual(found)
    rig.commit()
    expect(rig.state.pendingKeys.size).toBe(0)
    expect(rig.enqueue('mail', [keyed()])).toEqual(found)
    expect(rig.state.liveCount).toBe(1)
  })

  it('names its task also when that has ended', () => {
    const rig = anEngine()
    const id = rig.add('mail', { idempotencyKey: 'k' })
    rig.cancel([id])
    rig.commit()

    expect(rig.enqueue('mail', [keyed()])).toEqual({ count: 1, existing: [0], ids: [id] })
  })

  it.each([
    ['while its commit is on the way', false],
    ['when it is on disk', true],
  ])('of a different request is a conflict, %s', (_, isDurable) => {
    const rig = anEngine()
    rig.add('mail', { idempotencyKey: 'k' })
    if (isDurable) rig.commit()

    expect(rig.enqueue('mail', [aTask(), keyed({ payload: Uint8Array.of(9) })])).toMatchObject({
      code: 'CONFLICT',
      details: { index: 1 },
    })
  })

  it('names one task within one request', () => {
    const rig = anEngine()
    const [first, second] = [rig.nextId('mail'), rig.nextId('mail')]

    const reply = rig.enqueue('mail', [keyed({ id: first }), keyed({ id: second }), aTask()])

    expect(reply).toEqual({ count: 3, existing: [1], ids: [first, first, expect.any(Uint8Array)] })
    expect(rig.state.liveCount).toBe(2)
  })

  it('of two different tasks in one request is a conflict', () => {
    const rig = anEngine()
    const tasks = [keyed(), keyed({ type: 'other' })]

    expect(rig.enqueue('mail', tasks)).toMatchObject({ code: 'CONFLICT', details: { index: 1 } })
    expect(rig.state.liveCount).toBe(0)
  })

  it('belongs to its queue alone', () => {
    const rig = anEngine()
    rig.add('mail', { idempotencyKey: 'k' })

    expect(rig.enqueue('bills', [keyed()])).toEqual({ count: 1 })
    expect(rig.enqueue('bills', [keyed({ type: 'other' })])).toMatchObject({ code: 'CONFLICT' })
  })

  it('does not matter to a task whose id is known already', () => {
    const rig = anEngine()
    const id = rig.add('mail', { idempotencyKey: 'k' })

    expect(rig.enqueue('mail', [keyed({ id })])).toEqual({ count: 1, existing: [0] })
  })

  it('is not remembered if the request was refused', () => {
    const rig = anEngine({ queueDefaults: { tasksMax: 1 } })
    rig.add('mail')

    expect(rig.enqueue('mail', [keyed()])).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
    rig.setQueue('mail', { tasksMax: 2 })
    expect(rig.enqueue('mail', [keyed({ type: 'other' })])).toEqual({ count: 1 })
  })
})

describe('the order of refusals', () => {
  it('is: queue, then each task in turn, then room in the queue, then in the broker', () => {
    const rig = anEngine({ tasksMax: 1, queueDefaults: { tasksMax: 1 } })
    const taken = rig.add('mail', { idempotencyKey: 'k' })
    const code = (...tasks: Parameters<EngineRig['enqueue']>[1]) =>
      (rig.enqueue('mail', tasks) as Refusal).code
    const clash = aTask({ id: taken, type: 'other' })
    const keyClash = aTask({ idempotencyKey: 'k', type: 'other' })
    const misplaced = aTask({ id: aTaskId('bills', 1) })

    expect(code(misplaced, clash)).toBe('BAD_REQUEST')
    expect(code(clash, misplaced)).toBe('CONFLICT')
    expect(code(aTask(), keyClash)).toBe('CONFLICT')
    expect(code(aTask())).toBe('RESOURCE_EXHAUSTED')
    // Both for its slot and for coming twice: the slot is looked at first.
    const twice = rig.enqueue('mail', [misplaced, misplaced]) as Refusal
    expect([twice.code, twice.details['index']]).toEqual(['BAD_REQUEST', 0])
  })
})

/** The first other queue name with the same slot. */
function queueLike(name: string): string {
  for (let number = 0; ; number += 1) {
    if (slotOfQueue(`twin-${number}`) === slotOfQueue(name)) return `twin-${number}`
  }
}

function withQueues(rig: EngineRig, count: number): EngineRig {
  for (let number = 1; number <= count; number += 1) {
    const settings = DEFAULT_QUEUE_SETTINGS
    const by = { atMs: 0, actor: 'recovery' }
    apply(rig.state, { kind: 'queue-created', number, name: `queue-${number}`, settings, ...by })
  }
  return rig
}
