// List: pages of tasks in the order of their ids, live ones first; bounded reading for each page.

import {
  isTerminal,
  limits,
  type ListRequest,
  type ReplyOf,
  slotOfQueue,
  type TaskRow,
} from '@tq/core'
import { type Refusal, refuse } from '../engine/decision.ts'
import { rowOfEnded, rowOfTask } from '../engine/describe.ts'
import { hexOf } from '../engine/held.ts'
import { type Family, FAMILIES, familyRange, taskIdOfKey } from '../storage/key.ts'
import type { Entry } from '../storage/port.ts'
import type { Partition } from './partition.ts'

/** Records that one page may look at; a page may end before its limit, with a cursor. */
const SCAN_MAX = 10_000
const PAGE_SIZE = 500

/**
 * Each task that exists throughout the listing, and neither ends nor lives again during it, appears
 * exactly once: the disk gives the order, and memory what is true now. One that ends meanwhile may
 * come once more among the ended ones, on a later page.
 */
export async function listTasks(
  partition: Partition,
  request: ListRequest,
): Promise<ReplyOf<'list'> | Refusal> {
  const families = familiesOf(request)
  const cursor = request.cursor === undefined ? undefined : parseCursor(request.cursor)
  if (request.cursor !== undefined && cursor === undefined) {
    return refuse('BAD_REQUEST', `cursor "${request.cursor}" is not one that a list answered`)
  }
  const limit = Math.min(request.limit, limits.LIST_ROWS_MAX)
  const rows: TaskRow[] = []
  const shown = new Set<string>()
  let scanned = 0
  for (const family of families) {
    if (cursor !== undefined && (cursor[0] as number) > FAMILIES[family]) continue
    // What memory shows is on disk then: a task that has just ended is found among the ended ones.
    await new Promise((resolve) => partition.commits.whenDurable(resolve))
    const whole = rangeOf(request, family)
    const from = cursor?.[0] === FAMILIES[family] ? successorOf(cursor) : whole.from
    for await (const page of partition.store.load({ from, to: whole.to }, PAGE_SIZE)) {
      for (const entry of page) {
        scanned += 1
        const row = rowOf(partition, family, entry)
        if (row !== undefined && matches(row, request) && !shown.has(hexOf(row.id))) {
          rows.push(row)
          shown.add(hexOf(row.id))
        }
        if (rows.length >= limit || scanned >= SCAN_MAX) {
          return { tasks: rows, cursor: formatCursor(entry[0]) }
        }
      }
    }
  }
  return { tasks: rows, cursor: null }
}

function familiesOf(request: ListRequest): ('task' | 'done')[] {
  if (request.state === undefined) return ['task', 'done']
  return isTerminal(request.state) ? ['done'] : ['task']
}

function rangeOf(request: ListRequest, family: Family): { from: Uint8Array; to: Uint8Array } {
  return request.queue === undefined
    ? familyRange(family)
    : familyRange(family, slotOfQueue(request.queue))
}

function rowOf(
  partition: Partition,
  family: 'task' | 'done',
  [key, value]: Entry,
): TaskRow | undefined {
  const { state, lookup } = partition
  const id = taskIdOfKey(key)
  if (family === 'done') {
    const ended = lookup.decodeEnded(key, value, id)
    return ended === undefined ? undefined : rowOfEnded(ended)
  }
  const task = state.index.find(id)
  // A task that has ended since is found among the ended ones, if it is kept.
  if (task === undefined || state.ends.has(task)) return undefined
  return rowOfTask(state, task, partition.now())
}

function matches(row: TaskRow, request: ListRequest): boolean {
  return (
    (request.queue === undefined || row.queue === request.queue) &&
    (request.state === undefined || row.state === request.state) &&
    (request.type === undefined || row.type === request.type)
  )
}

function formatCursor(key: Uint8Array): string {
  return Buffer.from(key).toString('base64url')
}

function parseCursor(text: string): Uint8Array | undefined {
  const key = Uint8Array.from(Buffer.from(text, 'base64url'))
  const family = key[0]
  const isOurs = family === FAMILIES.task || family === FAMILIES.done
  return isOurs && key.length === 19 ? key : undefined
}

/** Just after this key: nothing stands between. */
function successorOf(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}
