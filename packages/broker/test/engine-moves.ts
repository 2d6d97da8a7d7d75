// The moves that the engine and its reference model make together, and how often each comes up.

import type { QueueOrder } from '@tq/core'
import * as fc from 'fast-check'

const QUEUES = ['mail', 'bills'] as const
const SESSIONS = ['w1', 'w2', 'w3'] as const

const queue = fc.constantFrom(...QUEUES)
const session = fc.constantFrom(...SESSIONS)
const which = fc.nat(1_000)
const priority = fc.constantFrom(0, 100, 128, 129, 255)

/** A word of a task's holder: which task, and whether its token is the current one. */
const held = { which, isStale: fc.nat(9).map((roll) => roll === 0) }

const MOVES = {
  pass: fc.record({
    do: fc.constant('pass'),
    ms: fc.constantFrom(0, 1, 10, 100, 999, 1_000, 2_500, 7_000),
  }),
  enqueue: fc.record({
    do: fc.constant('enqueue'),
    queue,
    priority,
    delayMs: fc.constantFrom(0, 0, 0, 0, 10, 1_500, 9_000),
    ttlMs: fc.constantFrom(undefined, undefined, 2_000, 8_000),
    timeoutMs: fc.constantFrom(2_500, 3_000, 3_600_000, 3_600_000, 3_600_000),
    needsGpu: fc.nat(3).map((roll) => roll === 0),
    key: fc.nat(40).map((roll) => (roll < 5 ? `k${roll}` : undefined)),
  }),
  resend: fc.record({ do: fc.constant('resend'), which }),
  claim: fc.record({
    do: fc.constant('claim'),
    session,
    queues: fc.shuffledSubarray([...QUEUES], { minLength: 1 }),
    max: fc.integer({ min: 1, max: 5 }),
    start: fc.boolean(),
    leaseMs: fc.constantFrom(3_000, 3_000, 12_000),
    back: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 2),
    minPriority: fc.constantFrom(0, 0, 0, 128, 200),
    order: fc.constantFrom('round' as const, 'round' as const, 'strict' as const),
  }),
  start: fc.record({ do: fc.constant('start'), ...held }),
  complete: fc.record({ do: fc.constant('complete'), ...held }),
  release: fc.record({ do: fc.constant('release'), ...held }),
  quarantine: fc.record({ do: fc.constant('quarantine'), ...held }),
  fail: fc.record({
    do: fc.constant('fail'),
    ...held,
    retryable: fc.nat(7).map((roll) => roll > 0),
    afterMs: fc.constantFrom(undefined, undefined, 0, 9_000),
  }),
  heartbeat: fc.record({
    do: fc.constant('heartbeat'),
    session,
    names: fc.constantFrom('all', 'all', 'all', 'none', 'odd', 'strange'),
    hasReceived: fc.boolean(),
  }),
  cancel: fc.record({ do: fc.constant('cancel'), which }),
  redrive: fc.record({ do: fc.constant('redrive'), which }),
  'set-priority': fc.record({ do: fc.constant('set-priority'), which, priority }),
  register: fc.record({ do: fc.constant('register'), session, hasGpu: fc.boolean() }),
  leave: fc.record({ do: fc.constant('leave'), session }),
  pause: fc.record({
    do: fc.constant('pause'),
    queue,
    isPaused: fc.nat(3).map((roll) => roll === 0),
  }),
  order: fc.record({
    do: fc.constant('order'),
    queue,
    order: fc.constantFrom<QueueOrder>('aging', 'strict'),
  }),
  purge: fc.record({ do: fc.constant('purge'), queue }),
  stall: fc.record({ do: fc.constant('stall'), ms: fc.constantFrom(500, 6_000) }),
  expire: fc.record({ do: fc.constant('expire') }),
  commit: fc.record({ do: fc.constant('commit') }),
} as const

type Kind = keyof typeof MOVES
export type Move = {
  [K in Kind]: (typeof MOVES)[K] extends fc.Arbitrary<infer M> ? M & { do: K } : never
}[Kind]

/** How often each move comes up among the others. */
const WEIGHTS: Readonly<Record<Kind, number>> = {
  pass: 24,
  enqueue: 30,
  resend: 2,
  claim: 30,
  start: 8,
  complete: 5,
  release: 3,
  quarantine: 2,
  fail: 12,
  heartbeat: 8,
  cancel: 6,
  redrive: 8,
  'set-priority': 5,
  register: 5,
  leave: 2,
  pause: 4,
  order: 2,
  purge: 1,
  stall: 1,
  expire: 20,
  commit: 8,
}

export const anyMove: fc.Arbitrary<Move> = fc.oneof(
  ...(Object.keys(MOVES) as Kind[]).map((kind) => ({
    weight: WEIGHTS[kind],
    arbitrary: MOVES[kind] as fc.Arbitrary<Move>,
  })),
)
