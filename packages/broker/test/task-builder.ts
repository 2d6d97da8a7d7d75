// Builders for tests of the engine: ids, tasks, sessions, claims.

import {
  type HeldTask,
  slotOfQueue,
  type TaskIdBytes,
  type TaskOptions,
  type TaskSpec,
} from '@tq/core'
import type { SessionIdentity } from '../src/engine/command.ts'
import { Refusal } from '../src/engine/decision.ts'
import type { EndedTask, EndRecord } from '../src/engine/fact.ts'
import type { Row } from '../src/engine/rows.ts'
import type { EngineState } from '../src/engine/state.ts'
import { FLAG_KEYED } from '../src/engine/task-table.ts'

/** The n-th id of a queue; ids grow with their number. */
export function aTaskId(queue: string, number: number): TaskIdBytes {
  const slot = slotOfQueue(queue)
  const id = new Uint8Array(16)
  const view = new DataView(id.buffer)
  view.setUint16(0, 0x0190)
  view.setUint32(2, number)
  id[6] = 0x70
  id[8] = 0x80 | (slot >>> 4)
  id[9] = (slot & 0xf) << 4
  view.setUint32(12, Math.imul(number, 2_654_435_761) >>> 0)
  return id
}

export interface TaskWish extends TaskOptions {
  readonly id?: TaskIdBytes
  readonly type?: string
  readonly payload?: Uint8Array
}

/** A task to enqueue; what is not wished for is plain. Without an id the engine's builder gives one. */
export function aTask(wish: TaskWish = {}): TaskSpec {
  const { id, type = 'send', payload = Uint8Array.of(1), ...options } = wish
  return { id, type, payload, options: Object.keys(options).length === 0 ? undefined : options }
}

/** A session by name: 16 bytes that begin with it. */
export function aSession(name: string, principal: string = 'alice'): SessionIdentity {
  const id = new Uint8Array(16)
  id.set(new TextEncoder().encode(name).subarray(0, 16))
  return { id, principal }
}

export interface ClaimWish {
  readonly session?: string
  readonly principal?: string
  readonly queues?: readonly string[]
  readonly max?: number
  readonly start?: boolean
  /** Default: one more than the last claim of any session. */
  readonly claim?: number
  readonly leaseMs?: number
  readonly order?: 'round' | 'strict'
  readonly weights?: Readonly<Record<string, number>>
  readonly minPriority?: number
  readonly payloadBytesMax?: number
}

/** The two words by which a worker names a task that it holds. */
export function heldOf({ id, token }: HeldTask): HeldTask {
  return { id, token }
}

/** The decision of a command that must not be refused. */
export function accepted<D>(decision: D | Refusal): D {
  if (decision instanceof Refusal) throw new Error(`${decision.code}: ${decision.message}`)
  return decision
}

/** What is left of an ended task whose row is in memory. */
export function endedTaskOf(state: EngineState, task: Row, end: EndRecord): EndedTask {
  const { tasks } = state
  return {
    id: tasks.id(task),
    profile: state.profileOf(task),
    priority: tasks.priority(task),
    failures: tasks.failures(task),
    losses: tasks.losses(task),
    generation: tasks.generation(task),
    chapters: tasks.chapters(task),
    sequence: tasks.sequence(task),
    createdAtMs: tasks.createdAtMs(task),
    payloadBytes: tasks.payloadBytes(task),
    timeoutMs: tasks.timeoutMs(task),
    keyed: tasks.hasFlag(task, FLAG_KEYED),
    end,
  }
}

/** Stands for the hash of a request: equal for equal requests, whatever the id. */
export function hashOf(task: TaskSpec): Uint8Array | undefined {
  if (task.options?.idempotencyKey === undefined) return undefined
  const { type, options, payload } = task
  return new TextEncoder().encode(JSON.stringify([type, options, [...payload]]))
}
