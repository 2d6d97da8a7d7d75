// Rows with any values that a record may have to hold, and the damage that may come to a record.

import {
  DEFAULT_RETRY,
  type Labels,
  LIVE_STATES,
  limits,
  REASONS,
  type Reason,
  slotOfQueue,
  type TaskIdBytes,
  type TaskState,
  TERMINAL_STATES,
} from '@tq/core'
import * as fc from 'fast-check'
import { expect } from 'vitest'
import { apply } from '../src/engine/apply.ts'
import type { AttemptRecord, EndRecord } from '../src/engine/fact.ts'
import { profileOf } from '../src/engine/profile.ts'
import { DEFAULT_QUEUE_SETTINGS, type Queue } from '../src/engine/queue.ts'
import { restoreTask, type RestoredLease, type RestoredTask } from '../src/engine/restore.ts'
import type { Row } from '../src/engine/rows.ts'
import { DEFAULT_ENGINE_OPTIONS, EngineState } from '../src/engine/state.ts'
import { isDamage } from '../src/storage/sealed.ts'

const QUEUE_NAME = 'images/large'
export const QUEUE_NUMBER = 7
export const SLOT: number = slotOfQueue(QUEUE_NAME)
export const SESSION: Uint8Array = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index)

/** A state with one queue and one session, and room for any task. */
export function aState(): EngineState {
  const state = new EngineState(DEFAULT_ENGINE_OPTIONS)
  const by = { atMs: 1, actor: 'alice' }
  const settings = DEFAULT_QUEUE_SETTINGS
  apply(state, { kind: 'queue-created', number: QUEUE_NUMBER, name: QUEUE_NAME, settings, ...by })
  const opened = { principal: 'alice', worker: undefined, tickMs: 0, atMs: 1 }
  apply(state, { kind: 'session-opened', id: SESSION, ...opened })
  return state
}

export function queueOf(state: EngineState): Queue {
  const queue = state.queuesByNumber.get(QUEUE_NUMBER)
  if (queue === undefined) throw new Error('the state has its queue')
  return queue
}

/** An id of the queue; all that an id leaves open is open. */
export function idOf(seed: Uint8Array): TaskIdBytes {
  const id = Uint8Array.from(seed)
  id[6] = 0x70 | ((id[6] ?? 0) & 0x0f)
  id[8] = 0x80 | (SLOT >>> 4)
  id[9] = ((SLOT & 0xf) << 4) | ((id[9] ?? 0) & 0x0f)
  return id
}

const MS_MAX = Number.MAX_SAFE_INTEGER
const aUint16 = upTo(2 ** 16 - 1)
const aUint32 = upTo(2 ** 32 - 1)
const anInstant = upTo(MS_MAX)
const aLine = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
const anId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(idOf)
const aLabel = fc.oneof(aLine, fc.boolean(), fc.integer())
const labels: fc.Arbitrary<Labels> = fc.dictionary(aLine, aLabel, { maxKeys: 4 })

/** What a profile is made of, with every field at its default or not. */
export const aProfileWish = fc.record({
  type: aLine,
  requires: fc.option(labels, { nil: undefined }),
  maxAttempts: fc.option(fc.integer({ min: 1, max: limits.ATTEMPTS_MAX }), { nil: undefined }),
  maxLost: fc.option(fc.integer({ min: 1, max: limits.ATTEMPTS_MAX }), { nil: undefined }),
  notRetryable: fc.option(fc.array(aLine, { maxLength: 3 }), { nil: undefined }),
})

type Core = Omit<RestoredTask, 'profile' | 'cancelNote'>

const aCore: fc.Arbitrary<Core> = fc.record({
  id: anId,
  state: fc.constantFrom(...LIVE_STATES),
  priority: upTo(255),
  cancelRequested: fc.boolean(),
  keyed: fc.boolean(),
  failures: aUint16,
  losses: aUint16,
  chapters: aUint32,
  generation: aUint32,
  payloadBytes: upTo(limits.PAYLOAD_BYTES_MAX),
  timeoutMs: aUint32,
  sequence: upTo(MS_MAX, 1),
  rankBaseMs: anInstant,
  dueAt: anInstant,
  expiresAtMs: anInstant,
  createdAtMs: anInstant,
})

const aLease: fc.Arbitrary<Omit<RestoredLease, 'session'>> = fc.record({
  token: upTo(limits.TOKEN_MAX - 1, 1),
  claim: upTo(MS_MAX, 1),
  leaseMs: upTo(limits.LEASE_MS_MAX, 1),
  assignedAtMs: upTo(MS_MAX, 1),
  startedAtMs: anInstant,
  deadlineTickMs: anInstant,
})

export interface TaskWish {
  readonly core: Core
  readonly lease: Omit<RestoredLease, 'session'>
  readonly profile: typeof aProfileWish extends fc.Arbitrary<infer Wish> ? Wish : never
  readonly cancelNote: string | undefined
}

export const aTaskWish: fc.Arbitrary<TaskWish> = fc.record({
  core: aCore,
  lease: aLease,
  profile: aProfileWish,
  cancelNote: fc.option(aLine, { nil: undefined }),
})

/** Puts the task that is wished for into the state: held if its state says so. */
export function place(state: EngineState, wish: TaskWish): Row {
  const { core, lease, cancelNote } = wish
  const { type, requires, maxAttempts, maxLost, notRetryable } = wish.profile
  const profile = profileOf(queueOf(state), type, {
    ...(requires === undefined ? {} : { requires }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(maxLost === undefined ? {} : { maxLost }),
    ...(notRetryable === undefined ? {} : { retry: { ...DEFAULT_RETRY, notRetryable } }),
  })
  const restored = { ...core, profile, cancelNote: core.cancelRequested ? cancelNote : undefined }
  return restoreTask(state, restored, heldBy(core.state, lease))
}

/** Just the running tasks have a deadline, and just the held ones a lease. */
function heldBy(state: TaskState, lease: TaskWish['lease']): RestoredLease | undefined {
  if (state === 'running') {
    return { ...lease, session: 0, deadlineTickMs: Math.max(1, lease.deadlineTickMs) }
  }
  return state === 'assigned' ? { ...lease, session: 0, deadlineTickMs: 0 } : undefined
}

const anAttempt: fc.Arbitrary<AttemptRecord> = fc.record({
  attempt: aUint32,
  token: upTo(limits.TOKEN_MAX - 1, 1),
  worker: fc.string({ unit: 'grapheme', maxLength: 40 }),
  session: fc.constant(-1),
  assignedAtMs: anInstant,
  startedAtMs: anInstant,
})

const anError = fc.record(
  { message: fc.string({ unit: 'grapheme' }), type: aLine, stack: fc.string({ unit: 'grapheme' }) },
  { requiredKeys: ['message'] },
)

/** Any way in which a task may have ended. */
export const anEnd: fc.Arbitrary<EndRecord> = fc.record({
  state: fc.constantFrom(...TERMINAL_STATES),
  reason: fc.constantFrom(...(Object.keys(REASONS) as Reason[])),
  atMs: anInstant,
  result: fc.option(fc.uint8Array({ maxLength: 400 }), { nil: undefined }),
  error: fc.option(anError, { nil: undefined }),
  note: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
  attempt: fc.option(anAttempt, { nil: undefined }),
  actor: fc.string({ unit: 'grapheme', maxLength: 40 }),
})

/** Every flipped bit and every cut of a record, and its place under another key, must be noticed. */
export function expectDetected(
  key: Uint8Array,
  value: Uint8Array,
  read: (key: Uint8Array, value: Uint8Array) => unknown,
): void {
  for (let bit = 0; bit < value.length * 8; bit += 1) {
    const damaged = Uint8Array.from(value)
    damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
    expectDamage(() => read(key, damaged))
  }
  for (let length = 0; length < value.length; length += 1) {
    expectDamage(() => read(key, value.subarray(0, length)))
  }
  for (let at = 0; at < key.length; at += 1) {
    const other = Uint8Array.from(key)
    other[at] = (other[at] ?? 0) ^ 1
    expectDamage(() => read(other, value))
  }
}

function expectDamage(read: () => unknown): void {
  let found: unknown
  try {
    read()
  } catch (error) {
    found = error
  }
  if (!isDamage(found)) expect.fail(`the damage was not noticed: ${String(found)}`)
}

/** Whole numbers, the extremes among them. */
function upTo(max: number, min = 0): fc.Arbitrary<number> {
  return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }))
}
