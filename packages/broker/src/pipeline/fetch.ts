// What a command needs from disk before it can be decided; undefined where memory has it all.

import { createHash } from 'node:crypto'
import { wallMsOfTaskId, type EnqueueRequest, type TaskIdBytes, type TaskSpec } from '@tq/core'
import type { EndedTasks, EnqueueFindings } from '../engine/command.ts'
import { hexOf } from '../engine/held.ts'
import type { EndedTask } from '../engine/fact.ts'
import type { Partition } from './partition.ts'

/** Ended tasks among these ids, from disk; undefined if all ids are those of live tasks. */
export function fetchEnded(
  partition: Partition,
  ids: readonly TaskIdBytes[],
): Promise<EndedTasks> | undefined {
  const missing = ids.filter((id) => !isLive(partition, id))
  return missing.length === 0 ? undefined : partition.lookup.ended(missing, 'without-results')
}

/**
 * What is to be known of an enqueue's ids and keys; undefined if it has only fresh ids. Ids that
 * the broker has yet to make are fresh, whatever the request says.
 */
export function fetchFindings(
  partition: Partition,
  request: EnqueueRequest,
): Promise<EnqueueFindings> | undefined {
  const queue = partition.state.queuesByName.get(request.queue)
  const names = request.tasks.flatMap(({ options }) => options?.idempotencyKey ?? [])
  const unknown = request.fresh
    ? []
    : request.tasks
        .map((task) => task.id)
        .filter((id) => id !== undefined && !isLive(partition, id))
  if (unknown.length === 0 && (names.length === 0 || queue === undefined)) return undefined
  return findings(partition, { request, names, ids: unknown as TaskIdBytes[] })
}

/** For each task a hash of all that makes its request, if it has an idempotency key. */
export function hashesOf(request: EnqueueRequest): readonly (Uint8Array | undefined)[] {
  return request.tasks.map((task) =>
    task.options?.idempotencyKey === undefined ? undefined : hashOf(request.queue, task),
  )
}

/**
 * A live task stays in memory while somebody reads. One that has ended may leave it during the read,
 * if its end was durable before the read began: it is looked up like one that has left.
 */
function isLive(partition: Partition, id: TaskIdBytes): boolean {
  const task = partition.state.index.find(id)
  return task !== undefined && !partition.state.ends.has(task)
}

async function findings(
  partition: Partition,
  wanted: {
    readonly request: EnqueueRequest
    readonly names: readonly string[]
    readonly ids: readonly TaskIdBytes[]
  },
): Promise<EnqueueFindings> {
  const { lookup, state } = partition
  const queue = state.queuesByName.get(wanted.request.queue)
  const keys =
    queue === undefined || wanted.names.length === 0
      ? new Map<string, never>()
      : await lookup.dedupe(queue, wanted.names)
  const ended =
    wanted.ids.length === 0
      ? new Map<string, EndedTask>()
      : await lookup.ended(wanted.ids, 'without-results')
  const traceless = wanted.ids.filter((id) => !ended.has(hexOf(id)))
  if (traceless.length === 0) return { ended, keys, journaled: new Set(), untold: new Set() }
  const told = await lookup.journaled(traceless, {
    sinceTickMs: sinceTickMs(partition, wanted.request, traceless),
    fromLsn: partition.journal.fromLsn,
    toLsn: partition.commits.durableLsn,
  })
  return { ended, keys, ...told }
}

/** Clocks of client and broker, and the time on the wire, may differ by this much. */
const MARGIN_MS = 60_000

/**
 * The tick before which the request cannot have been sent: from what the sender says, or else from
 * the moment inside its oldest id, as far as clocks can be believed.
 */
function sinceTickMs(
  partition: Partition,
  request: EnqueueRequest,
  ids: readonly TaskIdBytes[],
): number {
  const now = partition.now()
  const sentAgoMs =
    request.sentAgoMs ?? Math.max(...ids.map((id) => now.wallMs - wallMsOfTaskId(id)))
  return now.tickMs - Math.max(0, sentAgoMs) - MARGIN_MS
}

function hashOf(queue: string, task: TaskSpec): Uint8Array {
  return createHash('sha256')
    .update(JSON.stringify([queue, task.type, tellingOptions(task)], sortedKeys))
    .update(task.payload)
    .digest()
}

/**
 * What says something: an option with its default is the same request as one that is left out.
 * Defaults that come from the queue's settings are not known here, and may change.
 */
function tellingOptions(task: TaskSpec): Readonly<Record<string, unknown>> {
  const { idempotencyKey: _, ...options } = task.options ?? {}
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => !isDefault(name, value)),
  )
}

function isDefault(name: string, value: unknown): boolean {
  switch (name) {
    case 'priority':
      return value === DEFAULT_PRIORITY
    case 'delayMs':
      return value === 0
    case 'requires':
    case 'headers':
    case 'retry':
      return Object.keys(value as object).length === 0
    default:
      return false
  }
}

const DEFAULT_PRIORITY = 128

/** The same options are the same request, in whatever order a client writes its maps. */
function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
