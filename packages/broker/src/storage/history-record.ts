// Chapters of a task's history: one record an attempt, written when the attempt has ended.

import { limits, type HistoryChapter, type Reason, type TaskError, type TaskState } from '@tq/core'
import type { AttemptRecord, EndedTask, TaskReleased, TaskRetried } from '../engine/fact.ts'
import { historyKey } from './key.ts'
import { sealJson, unsealJson } from './sealed.ts'

export const HISTORY_RECORD_VERSION = 1

type Transition = HistoryChapter['transitions'][number]

/** The chapter of an attempt that ended without ending the task. */
export function chapterOfFact(
  fact: TaskReleased | TaskRetried,
  generation: number,
): HistoryChapter {
  const state: TaskState = fact.kind === 'task-retried' ? 'retrying' : 'queued'
  return chapter({
    attempt: fact.attempt,
    generation,
    end: { state, reason: fact.reason, atMs: fact.atMs },
    error: fact.kind === 'task-retried' ? fact.error : undefined,
  })
}

/** The last chapter of a task that has ended. */
export function chapterOfEnd(ended: EndedTask): HistoryChapter {
  const { end } = ended
  return chapter({
    attempt: end.attempt,
    generation: ended.generation,
    end: { state: end.state, reason: end.reason, atMs: end.atMs },
    error: end.error,
  })
}

/** What is known of an attempt that goes on: from its lease. */
export function chapterOfLease(attempt: AttemptRecord, generation: number): HistoryChapter {
  return chapter({ attempt, generation, end: undefined, error: undefined })
}

export function encodeChapter(key: Uint8Array, value: HistoryChapter): Uint8Array {
  return sealJson(key, value, HISTORY_RECORD_VERSION)
}

/** @throws {CorruptRecordError} */
export function decodeChapter(key: Uint8Array, value: Uint8Array): HistoryChapter {
  return unsealJson(key, value, HISTORY_RECORD_VERSION) as HistoryChapter
}

/** Keys of the chapters that are kept of `count`: the first and the last ones. */
export function keptHistoryKeys(id: Uint8Array, count: number): Uint8Array[] {
  const keys: Uint8Array[] = []
  if (count > 0) keys.push(historyKey(id, 0))
  const from = Math.max(1, count - limits.HISTORY_CHAPTERS_MAX)
  for (let number = from; number < count; number += 1) keys.push(historyKey(id, number))
  return keys
}

/** The chapter that is dropped when chapter `number` is written; undefined if none is. */
export function droppedChapter(number: number): number | undefined {
  const dropped = number - limits.HISTORY_CHAPTERS_MAX
  return dropped >= 1 ? dropped : undefined
}

function chapter(of: {
  readonly attempt: AttemptRecord | undefined
  readonly generation: number
  readonly end: { state: TaskState; reason: Reason; atMs: number } | undefined
  readonly error: TaskError | undefined
}): HistoryChapter {
  const { attempt, end } = of
  const transitions: Transition[] = []
  if (attempt !== undefined) {
    transitions.push({ state: 'assigned', reason: 'claimed', atMs: attempt.assignedAtMs })
    if (attempt.startedAtMs > 0) {
      transitions.push({ state: 'running', reason: 'started', atMs: attempt.startedAtMs })
    }
  }
  if (end !== undefined) transitions.push(end)
  return {
    attempt: attempt?.attempt ?? 0,
    generation: of.generation,
    transitions,
    ...(attempt === undefined ? {} : { worker: attempt.worker, token: attempt.token }),
    ...(of.error === undefined ? {} : { error: of.error }),
  }
}
