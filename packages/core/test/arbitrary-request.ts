// Random requests of every verb, in the form that parsing gives them.

import * as fc from 'fast-check'
import type {
  HeldTask,
  Labels,
  QueueSettings,
  Request,
  TaskOptions,
  TaskSpec,
} from '../src/protocol/request.ts'
import type { RetryPolicy } from '../src/retry.ts'
import { slotOfQueue } from '../src/slot.ts'
import { TASK_STATE_NAMES } from '../src/state.ts'
import type { TaskIdBytes } from '../src/task-id.ts'
import type { TimeoutPolicy } from '../src/timeout-policy.ts'

const optional = { requiredKeys: [] as [] }
const queue = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,40}$/)
const line = fc
  .string({ minLength: 1, maxLength: 24, unit: 'binary' })
  .filter((text) => /^[^\p{Cc}]+$/u.test(text))
const text = fc.string({ maxLength: 60, unit: 'binary' })
const priority = fc.integer({ min: 0, max: 255 })
const token = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const delayMs = fc.integer({ min: 0, max: 31_622_400_000 })
const bytes = fc.uint8Array({ maxLength: 300 })
const session = fc.uint8Array({ minLength: 16, maxLength: 16 })
const labels: fc.Arbitrary<Labels> = fc.dictionary(
  line.filter((name) => name !== '__proto__'),
  fc.oneof(line, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
  { maxKeys: 5, noNullPrototype: true },
)

/** A UUIDv7 with the slot of a queue. */
function taskIdOf(name: string): fc.Arbitrary<TaskIdBytes> {
  const slot = slotOfQueue(name)
  return session.map((random) => {
    const id = Uint8Array.from(random)
    id[6] = 0x70 | ((id[6] ?? 0) & 0x0f)
    id[8] = 0x80 | (slot >>> 4)
    id[9] = ((slot & 0x0f) << 4) | ((id[9] ?? 0) & 0x0f)
    return id
  })
}

const taskId = queue.chain(taskIdOf)
const ids = fc.array(taskId, { minLength: 1, maxLength: 6 })
const held: fc.Arbitrary<HeldTask> = fc.record({ id: taskId, token })

function some<Item>(item: fc.Arbitrary<Item>): fc.Arbitrary<Item[]> {
  return fc.array(item, { minLength: 1, maxLength: 5 })
}

const retry: fc.Arbitrary<RetryPolicy> = fc.record({
  kind: fc.constantFrom('exponential', 'linear', 'fixed'),
  baseMs: delayMs,
  factor: fc.double({ min: 1, max: 100, noNaN: true }),
  capMs: delayMs,
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  notRetryable: fc.array(line, { maxLength: 3 }),
})
const partialRetry: fc.Arbitrary<Partial<RetryPolicy>> = retry.chain((whole) =>
  fc.subarray(Object.entries(whole)).map((entries) => Object.fromEntries(entries)),
)

const options: fc.Arbitrary<TaskOptions> = fc.record(
  {
    priority,
    delayMs,
    ttlMs: fc.integer({ min: 1, max: 31_622_400_000 }),
    idempotencyKey: fc.string({ minLength: 1, maxLength: 60, unit: 'binary' }),
    maxAttempts: fc.integer({ min: 1, max: 100 }),
    maxLost: fc.integer({ min: 1, max: 100 }),
    retry: partialRetry,
    timeoutMs: fc.integer({ min: 1, max: 2_592_000_000 }),
    durationHintMs: fc.integer({ min: 0, max: 2_592_000_000 }),
    sizeHintBytes: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    requires: labels,
    headers: fc.dictionary(
      line.filter((name) => name !== '__proto__'),
      text,
      { maxKeys: 4, noNullPrototype: true },
    ),
    trace: fc.record(
      { traceparent: fc.constant('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01') },
      {},
    ),
  },
  optional,
)

function taskSpecOf(name: string): fc.Arbitrary<TaskSpec> {
  return fc.record({
    id: fc.option(taskIdOf(name), { nil: undefined }),
    type: line,
    payload: bytes,
    options: fc.option(options, { nil: undefined }),
  })
}

const timeoutPolicy: fc.Arbitrary<TimeoutPolicy> = fc.oneof(
  fc.record({ kind: fc.constant('fixed' as const), ms: fc.integer({ min: 1, max: 1_000 }) }),
  fc.record({
    kind: fc.constant('duration-hint' as const),
    factor: fc.double({ min: 0, max: 1_000, noNaN: true }),
    floorMs: fc.integer({ min: 1, max: 500 }),
    ceilingMs: fc.integer({ min: 500, max: 2_592_000_000 }),
  }),
  fc.record({
    kind: fc.constant('size-hint' as const),
    msPerMiB: fc.integer({ min: 1, max: 1_000 }),
    floorMs: fc.integer({ min: 1, max: 500 }),
    ceilingMs: fc.integer({ min: 500, max: 2_592_000_000 }),
  }),
)

const settings: fc.Arbitrary<Partial<QueueSettings>> = fc.record(
  {
    order: fc.constantFrom('aging', 'strict'),
    agingMsPerLevel: delayMs,
    tasksMax: fc.integer({ min: 1, max: 100_000_000 }),
    maxAttempts: fc.integer({ min: 1, max: 100 }),
    maxLost: fc.integer({ min: 1, max: 100 }),
    retry,
    retentionMs: delayMs,
    retentionCount: fc.integer({ min: 0, max: 1_000_000 }),
    deadRetentionMs: delayMs,
    deadRetentionCount: fc.integer({ min: 0, max: 1_000_000 }),
    timeouts: fc.dictionary(
      line.filter((name) => name !== '__proto__'),
      timeoutPolicy,
      { maxKeys: 3, noNullPrototype: true },
    ),
  },
  optional,
)

const optionalReason = { reason: text }
const verbOnly = fc.constantFrom<Request>(
  { verb: 'ping' },
  { verb: 'leave' },
  { verb: 'workers' },
  { verb: 'startup-log' },
)

const enqueue: fc.Arbitrary<Request> = queue.chain((name) =>
  fc.record(
    {
      verb: fc.constant('enqueue' as const),
      queue: fc.constant(name),
      tasks: some(taskSpecOf(name)),
      fresh: fc.boolean(),
      sentAgoMs: delayMs,
    },
    { requiredKeys: ['verb', 'queue', 'tasks', 'fresh'] },
  ),
)

const claim: fc.Arbitrary<Request> = fc
  .uniqueArray(queue, { minLength: 1, maxLength: 6 })
  .chain((queues) =>
    fc.record(
      {
        verb: fc.constant('claim' as const),
        queues: fc.constant(queues),
        max: fc.integer({ min: 1, max: 1_000 }),
        waitMs: fc.integer({ min: 0, max: 30_000 }),
        leaseMs: fc.integer({ min: 1_000, max: 43_200_000 }),
        start: fc.boolean(),
        claim: token,
        order: fc.constantFrom('round' as const, 'strict' as const),
        weights: fc.constant(Object.fromEntries(queues.map((name, index) => [name, index + 1]))),
        minPriority: priority,
      },
      { requiredKeys: ['verb', 'queues', 'max', 'waitMs', 'start', 'claim', 'order'] },
    ),
  )

const taskError = fc.record(
  { message: text, type: line, stack: text },
  { requiredKeys: ['message'] },
)

/** Any request that a client may send. */
export const arbitraryRequest: fc.Arbitrary<Request> = fc.oneof(
  verbOnly,
  enqueue,
  claim,
  fc.record(
    {
      verb: fc.constant('hello' as const),
      protocol: fc.constant(1),
      client: fc.record({ name: line, version: line }),
      token: fc.string({ minLength: 1, maxLength: 60 }),
      session,
    },
    { requiredKeys: ['verb', 'protocol', 'client'] },
  ),
  fc.record({ verb: fc.constant('abort'), id: fc.integer({ min: 1, max: 2 ** 32 - 1 }) }),
  fc.record({
    verb: fc.constant('register'),
    name: line,
    version: line,
    labels,
    slots: fc.integer({ min: 1, max: 10_000 }),
  }),
  fc.record({ verb: fc.constantFrom('start', 'release'), tasks: some(held) }),
  fc.record(
    {
      verb: fc.constant('heartbeat' as const),
      session,
      leases: fc.array(held, { maxLength: 6 }),
      received: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    },
    { requiredKeys: ['verb', 'leases', 'received'] },
  ),
  fc.record({
    verb: fc.constant('progress'),
    tasks: some(
      fc.record({
        id: taskId,
        token,
        percent: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
        note: fc.option(text, { nil: undefined }),
      }),
    ),
  }),
  fc.record({
    verb: fc.constant('complete'),
    tasks: some(fc.record({ id: taskId, token, result: fc.option(bytes, { nil: undefined }) })),
  }),
  fc.record({
    verb: fc.constant('fail'),
    tasks: some(
      fc.record(
        { id: taskId, token, error: taskError, retryable: fc.boolean(), retryAfterMs: delayMs },
        { requiredKeys: ['id', 'token', 'error'] },
      ),
    ),
  }),
  fc.record(
    { verb: fc.constant('cancel' as const), ids, ...optionalReason },
    { requiredKeys: ['verb', 'ids'] },
  ),
  fc.record({ verb: fc.constant('redrive'), ids }),
  fc.record({ verb: fc.constant('set-priority'), ids, priority }),
  fc.record({ verb: fc.constant('get'), id: taskId, payload: fc.boolean() }),
  fc.record({
    verb: fc.constant('wait'),
    id: taskId,
    waitMs: fc.integer({ min: 0, max: 30_000 }),
  }),
  fc.record(
    {
      verb: fc.constant('list' as const),
      queue,
      state: fc.constantFrom(...TASK_STATE_NAMES),
      type: line,
      limit: fc.integer({ min: 1, max: 1_000 }),
      cursor: line,
    },
    { requiredKeys: ['verb', 'limit'] },
  ),
  fc.record({ verb: fc.constant('stats' as const), queue }, { requiredKeys: ['verb'] }),
  fc.record({ verb: fc.constant('queue-set'), queue, settings }),
  fc.record(
    { verb: fc.constant('queue-pause' as const), queue, ...optionalReason },
    { requiredKeys: ['verb', 'queue'] },
  ),
  fc.record({ verb: fc.constant('queue-resume'), queue }),
  fc.record(
    { verb: fc.constant('queue-purge' as const), queue, ...optionalReason, cursor: line },
    { requiredKeys: ['verb', 'queue'] },
  ),
  fc.record({ verb: fc.constant('backup' as const), cursor: line }, { requiredKeys: ['verb'] }),
) as fc.Arbitrary<Request>
