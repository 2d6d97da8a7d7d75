// Queues: created by first use or by hand, set, paused, resumed, purged.

import { invariant, limits, type QueueSettings, type ReplyOf, type RequestOf } from '@tq/core'
import { Refusal, refuse, type Turn } from './decision.ts'
import { Queue } from './queue.ts'
import { NO_ROW, type Row } from './rows.ts'

/** The queue of this name, or one that may be created under it (not yet part of the state). */
export function queueForUse(turn: Turn, name: string): Queue | Refusal {
  const { state } = turn
  const known = state.queuesByName.get(name)
  if (known !== undefined) return known
  if (!state.options.autoCreateQueues) {
    return refuse(
      'NOT_FOUND',
      `no queue "${name}", and this broker does not create queues by use`,
      {
        queue: name,
      },
    )
  }
  return newQueue(turn, name)
}

/** Makes the queue part of the state, if it is not yet; gives the one that is. */
export function createQueue(turn: Turn, queue: Queue): Queue {
  const { queuesByName } = turn.state
  if (queuesByName.has(queue.name)) return queue
  turn.emit({
    kind: 'queue-created',
    number: queue.number,
    name: queue.name,
    settings: queue.settings,
    atMs: turn.wallMs,
    actor: turn.actor,
  })
  const created = queuesByName.get(queue.name)
  invariant(created !== undefined, 'a created queue is known')
  return created
}

export function decideQueueSet(
  turn: Turn,
  request: RequestOf<'queue-set'>,
): ReplyOf<'queue-set'> | Refusal {
  const queue = turn.state.queuesByName.get(request.queue) ?? newQueue(turn, request.queue)
  if (queue instanceof Refusal) return queue
  const settings: QueueSettings = { ...queue.settings, ...request.settings }
  createQueue(turn, queue)
  turn.emit({
    kind: 'queue-changed',
    number: queue.number,
    settings,
    paused: queue.paused,
    pauseReason: queue.pauseReason,
    atMs: turn.wallMs,
    actor: turn.actor,
  })
  return { settings }
}

export function decideQueuePause(
  turn: Turn,
  request: RequestOf<'queue-pause'>,
): ReplyOf<'queue-pause'> | Refusal {
  const queue = turn.state.queuesByName.get(request.queue) ?? newQueue(turn, request.queue)
  if (queue instanceof Refusal) return queue
  if (queue.paused) return { changed: false }
  createQueue(turn, queue)
  setPaused(turn, queue, { paused: true, reason: request.reason })
  return { changed: true }
}

export function decideQueueResume(
  turn: Turn,
  request: RequestOf<'queue-resume'>,
): ReplyOf<'queue-resume'> | Refusal {
  const queue = turn.state.queuesByName.get(request.queue)
  if (queue === undefined) return noQueue(request.queue)
  if (!queue.paused) return { changed: false }
  setPaused(turn, queue, { paused: false, reason: undefined })
  return { changed: true }
}

/** Rows that one step of a purge looks at: about 100 µs of reading. */
const PURGE_ROWS_PER_STEP = 20_000

/**
 * Removes what waited in the queue when the purge began, in bounded steps. Held tasks stay: their
 * workers go on. The cursor says where to go on and which tasks were there at the beginning.
 */
export function decideQueuePurge(
  turn: Turn,
  request: RequestOf<'queue-purge'>,
): ReplyOf<'queue-purge'> | Refusal {
  const { state } = turn
  const queue = state.queuesByName.get(request.queue)
  if (queue === undefined) return noQueue(request.queue)
  const from = request.cursor === undefined ? firstStep(turn) : parseCursor(request.cursor)
  if (from === undefined) {
    return refuse('BAD_REQUEST', `cursor "${request.cursor}" is not one that a purge answered`)
  }
  const { tasks } = state
  const end = Math.min(tasks.rows.end, from.row + PURGE_ROWS_PER_STEP)
  let purged = 0
  let row: Row = from.row
  for (; row < end && purged < limits.STEP_ITEMS_MAX; row += 1) {
    if (!tasks.isUsed(row) || state.queueOf(row) !== queue || state.ends.has(row)) continue
    if (tasks.lease(row) !== NO_ROW || tasks.sequence(row) >= from.sequence) continue
    const { wallMs: atMs, actor } = turn
    turn.emit({ kind: 'task-purged', task: row, atMs, actor, note: request.reason })
    purged += 1
  }
  const isDone = row >= tasks.rows.end
  return { purged, cursor: isDone ? null : `${row}-${from.sequence}` }
}

function firstStep(turn: Turn): { row: Row; sequence: number } {
  return { row: 0, sequence: turn.state.nextSequence }
}

function parseCursor(cursor: string): { row: Row; sequence: number } | undefined {
  const match = /^(\d{1,10})-(\d{1,16})$/.exec(cursor)
  return match === null ? undefined : { row: Number(match[1]), sequence: Number(match[2]) }
}

function newQueue(turn: Turn, name: string): Queue | Refusal {
  const { state } = turn
  if (state.queuesByName.size >= limits.QUEUES_MAX) {
    const text = `queue "${name}" would be one more than the ${limits.QUEUES_MAX} a broker keeps`
    return refuse('RESOURCE_EXHAUSTED', text, { retryAfterMs: 1_000, queue: name })
  }
  return new Queue(state.nextQueueNumber, name, state.options.queueDefaults)
}

function setPaused(
  turn: Turn,
  queue: Queue,
  pause: { readonly paused: boolean; readonly reason: string | undefined },
): void {
  turn.emit({
    kind: 'queue-changed',
    number: queue.number,
    settings: queue.settings,
    paused: pause.paused,
    pauseReason: pause.reason,
    atMs: turn.wallMs,
    actor: turn.actor,
  })
}

function noQueue(name: string): Refusal {
  return refuse('NOT_FOUND', `no queue "${name}"`, { queue: name })
}
