// Many tasks for one queue: cut into chunks that fit a request, a few of them on the way at a time.

import { limits, type ReplyOf, TqError } from '@tq/core'
import type { PreparedTask } from './enqueue-spec.ts'
import type { CallOptions, Session } from './session.ts'
import { TaskHandle } from './task-handle.ts'

/** Payload bytes of one chunk: two of them and their frames fit the broker's 4 MiB with room. */
const CHUNK_BYTES_MAX = 2 * 1024 * 1024
/** MessagePack nodes of one chunk; a frame may have 64,000. */
const CHUNK_NODES_MAX = 60_000
/** Chunks on their way at a time: enough to keep the broker busy while answers travel. */
const CHUNKS_IN_FLIGHT_MAX = 4

interface Chunk {
  readonly firstIndex: number
  readonly tasks: PreparedTask[]
  bytes: number
  nodes: number
}

interface Target {
  readonly queue: string
  readonly call: CallOptions | undefined
}

/**
 * Enqueues all, in order. A chunk is enqueued whole or not at all; after a refused chunk no further
 * one is sent. The error then carries `index` (of the task, if one is to blame) and `enqueued`,
 * the number of tasks in chunks that were acknowledged.
 */
export async function enqueueMany(
  session: Session,
  to: Target,
  tasks: Iterable<PreparedTask>,
): Promise<TaskHandle[]> {
  const handles: TaskHandle[] = []
  const pending: Promise<TaskHandle[]>[] = []
  let failure: { readonly error: unknown } | undefined
  const settleOldest = async (): Promise<void> => {
    try {
      handles.push(...((await pending.shift()) ?? []))
    } catch (error) {
      failure ??= { error }
    }
  }
  for (const chunk of chunksOf(tasks)) {
    pending.push(sendChunk(session, to, chunk))
    if (pending.length >= CHUNKS_IN_FLIGHT_MAX) await settleOldest()
    if (failure !== undefined) break
  }
  while (pending.length > 0) await settleOldest()
  if (failure !== undefined) throw withCount(failure.error, handles.length)
  return handles
}

/** Enqueues one task in a request of its own. */
export async function enqueueOne(
  session: Session,
  to: Target,
  task: PreparedTask,
): Promise<TaskHandle> {
  const { queue, call } = to
  const request = { verb: 'enqueue' as const, queue, tasks: [task.spec], fresh: task.isFresh }
  const reply = await session.request<'enqueue'>(request, { ...call, bytes: task.bytes })
  return new TaskHandle(session, reply.ids?.[0] ?? task.spec.id, reply.existing?.[0] === 0)
}

function* chunksOf(tasks: Iterable<PreparedTask>): Generator<Chunk> {
  let chunk: Chunk = { firstIndex: 0, tasks: [], bytes: 0, nodes: 0 }
  for (const task of tasks) {
    if (chunk.tasks.length > 0 && !hasRoom(chunk, task)) {
      yield chunk
      const firstIndex = chunk.firstIndex + chunk.tasks.length
      chunk = { firstIndex, tasks: [], bytes: 0, nodes: 0 }
    }
    chunk.tasks.push(task)
    chunk.bytes += task.bytes
    chunk.nodes += task.nodes
  }
  if (chunk.tasks.length > 0) yield chunk
}

function hasRoom(chunk: Chunk, task: PreparedTask): boolean {
  return (
    chunk.tasks.length < limits.ITEMS_PER_REQUEST_MAX &&
    chunk.bytes + task.bytes <= CHUNK_BYTES_MAX &&
    chunk.nodes + task.nodes <= CHUNK_NODES_MAX
  )
}

async function sendChunk(session: Session, to: Target, chunk: Chunk): Promise<TaskHandle[]> {
  const specs = chunk.tasks.map((task) => task.spec)
  const fresh = chunk.tasks.every((task) => task.isFresh)
  try {
    const reply: ReplyOf<'enqueue'> = await session.request<'enqueue'>(
      { verb: 'enqueue', queue: to.queue, tasks: specs, fresh },
      { ...to.call, bytes: chunk.bytes },
    )
    const existing = new Set(reply.existing)
    return specs.map((spec, index) => {
      return new TaskHandle(session, reply.ids?.[index] ?? spec.id, existing.has(index))
    })
  } catch (error) {
    throw withGlobalIndex(error, chunk.firstIndex)
  }
}

function withGlobalIndex(error: unknown, firstIndex: number): unknown {
  const index = error instanceof TqError ? error.details['index'] : undefined
  if (!(error instanceof TqError) || typeof index !== 'number' || firstIndex === 0) return error
  const details = { ...error.details, index: firstIndex + index }
  return new TqError(error.code, `task ${firstIndex + index}: ${error.message}`, details, error)
}

function withCount(error: unknown, enqueued: number): unknown {
  if (!(error instanceof TqError)) return error
  const text = `${error.message} (${enqueued} tasks of this call were enqueued)`
  return new TqError(error.code, text, { ...error.details, enqueued }, error)
}
