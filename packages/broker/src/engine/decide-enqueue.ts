// Enqueue: deduplicate, check limits, then all tasks or none.

import {
  executionTimeoutMs,
  formatTaskId,
  limits,
  slotOfTaskId,
  type ReplyOf,
  type TaskIdBytes,
  type TaskSpec,
  type TimeoutPolicy,
} from '@tq/core'
import { lackOfRoom } from './capacity.ts'
import type { Command, EnqueueFindings } from './command.ts'
import { createQueue, queueForUse } from './decide-queue.ts'
import { Refusal, refuse, type Turn } from './decision.ts'
import { hexOf } from './held.ts'
import { isPlain, profileOf, type Profile } from './profile.ts'
import { type Queue, requirementsKey } from './queue.ts'
import { pendingKeyOf } from './state.ts'

type EnqueueCommand = Extract<Command, { kind: 'enqueue' }>

/** What is to become of one task: undefined makes a new one, an id names the one that is there. */
type Plan = TaskIdBytes | undefined

export function decideEnqueue(turn: Turn, command: EnqueueCommand): ReplyOf<'enqueue'> | Refusal {
  const { request } = command
  const queue = queueForUse(turn, request.queue)
  if (queue instanceof Refusal) return queue
  const plans = planAll(turn, queue, command)
  if (plans instanceof Refusal) return plans
  const room = checkRoom(turn, queue, { tasks: request.tasks, plans })
  if (room !== undefined) return room
  return enqueueAll(turn, createQueue(turn, queue), { command, plans })
}

function planAll(turn: Turn, queue: Queue, command: EnqueueCommand): Plan[] | Refusal {
  const { tasks } = command.request
  const plans: Plan[] = []
  const keys = new Map<string, { id: TaskIdBytes; hash: Uint8Array }>()
  const seen = areIncreasing(tasks) ? undefined : new Set<string>()
  for (const [index, spec] of tasks.entries()) {
    const plan = planOne(turn, queue, { command, spec, index, keys, seen })
    if (plan instanceof Refusal) {
      return refuse(plan.code, `tasks[${index}]: ${plan.message}`, { ...plan.details, index })
    }
    plans.push(plan)
  }
  return plans
}

interface PlanOptions {
  readonly command: EnqueueCommand
  readonly spec: TaskSpec
  readonly index: number
  /** Keys of earlier tasks of this request. */
  readonly keys: Map<string, { id: TaskIdBytes; hash: Uint8Array }>
  /** Ids of earlier tasks; undefined if they are known to differ. */
  readonly seen: Set<string> | undefined
}

function planOne(turn: Turn, queue: Queue, options: PlanOptions): Plan | Refusal {
  const { command, spec, index } = options
  const id = spec.id as TaskIdBytes
  if (slotOfTaskId(id) !== queue.slot) {
    return refuse(
      'BAD_REQUEST',
      `id ${formatTaskId(id)} has slot ${slotOfTaskId(id)}, but queue "${queue.name}" has slot ${queue.slot}`,
    )
  }
  if (options.seen !== undefined) {
    const hex = hexOf(id)
    if (options.seen.has(hex)) {
      return refuse('BAD_REQUEST', `id ${formatTaskId(id)} stands twice in one request`)
    }
    options.seen.add(hex)
  }
  const known = knownById(turn, queue, spec, command.findings)
  if (known !== undefined) return known
  const key = spec.options?.idempotencyKey
  const hash = command.hashes[index]
  if (key !== undefined && hash !== undefined) {
    const pending = turn.state.pendingKeys.get(pendingKeyOf(queue.number, key))
    const other = options.keys.get(key) ?? pending ?? command.findings?.keys.get(key)
    if (other !== undefined) {
      if (Buffer.compare(other.hash, hash) === 0) return other.id
      return refuse(
        'CONFLICT',
        `idempotency key "${key}" belongs to task ${formatTaskId(other.id)}, a different request`,
      )
    }
    options.keys.set(key, { id, hash })
  }
  return undefined
}

/** A task that is there already under this id: the same request again, or somebody else's. */
function knownById(
  turn: Turn,
  queue: Queue,
  spec: TaskSpec,
  findings: EnqueueFindings | undefined,
): Plan | Refusal {
  const { state } = turn
  const id = spec.id as TaskIdBytes
  const row = state.index.find(id)
  if (row !== undefined) {
    const profile = state.profileOf(row)
    const isSame =
      profile.queue === queue &&
      profile.type === spec.type &&
      state.tasks.payloadBytes(row) === spec.payload.length
    return isSame ? id : conflict(id)
  }
  if (findings === undefined) return undefined
  const hex = hexOf(id)
  const ended = findings.ended.get(hex)
  if (ended !== undefined) {
    const isSame =
      ended.profile.queue === queue &&
      ended.profile.type === spec.type &&
      ended.payloadBytes === spec.payload.length
    return isSame ? id : conflict(id)
  }
  if (findings.journaled.has(hex)) return id
  if (!findings.untold.has(hex)) return undefined
  return refuse(
    'OUTCOME_UNKNOWN',
    `id ${formatTaskId(id)} may have been enqueued before; the journal does not reach back that far`,
  )
}

function conflict(id: TaskIdBytes): Refusal {
  return refuse('CONFLICT', `id ${formatTaskId(id)} belongs to a different task`)
}

function findProfile(queue: Queue, spec: TaskSpec): Profile {
  if (!isPlain(spec.options)) return profileOf(queue, spec.type, spec.options)
  const plain = queue.plainProfiles.get(spec.type)
  if (plain !== undefined) return plain
  const made = profileOf(queue, spec.type, undefined)
  // Bounded: types come from clients, and a memo must not grow with them.
  if (queue.plainProfiles.size >= PLAIN_PROFILES_MAX) queue.plainProfiles.clear()
  queue.plainProfiles.set(spec.type, made)
  return made
}

const PLAIN_PROFILES_MAX = 1_000

function checkRoom(
  turn: Turn,
  queue: Queue,
  asked: { readonly tasks: readonly TaskSpec[]; readonly plans: readonly Plan[] },
): Refusal | undefined {
  let newTasks = 0
  for (const plan of asked.plans) if (plan === undefined) newTasks += 1
  // What is there already takes no room: a request that is sent again must not fail for want of it.
  if (newTasks === 0) return undefined
  return lackOfRoom(turn.state, queue, newTasks) ?? checkRequirementSets(queue, asked)
}

function checkRequirementSets(
  queue: Queue,
  asked: { readonly tasks: readonly TaskSpec[]; readonly plans: readonly Plan[] },
): Refusal | undefined {
  const newSets = new Set<string>()
  for (const [index, { options }] of asked.tasks.entries()) {
    if (asked.plans[index] !== undefined || options?.requires === undefined) continue
    const key = requirementsKey(options.requires)
    if (queue.groups.get(key)?.isEmpty ?? true) newSets.add(key)
  }
  const max = limits.REQUIREMENT_SETS_PER_QUEUE_MAX
  if (newSets.size === 0 || queue.groups.size + newSets.size <= max) return undefined
  // Empty groups give way to new ones, so only those that hold tasks take room.
  let inUse = 0
  for (const group of queue.groups.values()) if (!group.isEmpty) inUse += 1
  if (inUse + newSets.size <= max) return undefined
  return refuse(
    'RESOURCE_EXHAUSTED',
    `queue "${queue.name}" would have more than ${max} different sets of requirements`,
    { retryAfterMs: 1_000 },
  )
}

function enqueueAll(
  turn: Turn,
  queue: Queue,
  planned: { readonly command: EnqueueCommand; readonly plans: readonly Plan[] },
): ReplyOf<'enqueue'> {
  const { command, plans } = planned
  const { tasks } = command.request
  const existing: number[] = []
  let isRenamed = false
  for (const [index, plan] of plans.entries()) {
    const spec = tasks[index] as TaskSpec
    if (plan === undefined) {
      enqueueOne(turn, findProfile(queue, spec), { spec, hash: command.hashes[index] })
    } else {
      existing.push(index)
      isRenamed ||= plan !== spec.id
    }
  }
  if (existing.length === 0) return { count: tasks.length }
  const ids = plans.map((plan, index) => plan ?? (tasks[index]?.id as TaskIdBytes))
  return { count: tasks.length, existing, ...(isRenamed ? { ids } : {}) }
}

function enqueueOne(
  turn: Turn,
  profile: Profile,
  task: { readonly spec: TaskSpec; readonly hash: Uint8Array | undefined },
): void {
  const { spec } = task
  const { options } = spec
  const runAtMs =
    options === undefined
      ? 0
      : (options.runAtMs ?? (options.delayMs === undefined ? 0 : turn.wallMs + options.delayMs))
  turn.emit({
    kind: 'task-enqueued',
    id: spec.id as TaskIdBytes,
    profile,
    payload: spec.payload,
    options,
    priority: options?.priority ?? DEFAULT_PRIORITY,
    atMs: turn.wallMs,
    sequence: turn.state.nextSequence,
    dueAtMs: runAtMs > turn.wallMs ? runAtMs : 0,
    expiresAtMs: options?.ttlMs === undefined ? 0 : turn.wallMs + options.ttlMs,
    timeoutMs: executionTimeoutMs(timeoutPolicyOf(profile), options ?? {}),
    requestHash: task.hash,
    actor: turn.actor,
  })
}

const DEFAULT_PRIORITY = 128

/** By own names only: a type may be called `constructor`. */
function timeoutPolicyOf({ queue, type }: Profile): TimeoutPolicy | undefined {
  const { timeouts } = queue.settings
  return Object.hasOwn(timeouts, type) ? timeouts[type] : timeouts['*']
}

/** Ids that only grow cannot hold one twice; what SDKs send is of that kind. */
function areIncreasing(tasks: readonly TaskSpec[]): boolean {
  for (let index = 1; index < tasks.length; index += 1) {
    const before = tasks[index - 1]?.id as TaskIdBytes
    if (Buffer.compare(before, tasks[index]?.id as TaskIdBytes) >= 0) return false
  }
  return true
}
