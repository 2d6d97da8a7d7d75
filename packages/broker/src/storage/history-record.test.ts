// Chapters of history: what each attempt tells, and which of many are kept.
import { limits } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { expectDetected, idOf } from '../../test/record-builder.ts'
import type {
  AttemptRecord,
  EndedTask,
  EndRecord,
  TaskReleased,
  TaskRetried,
} from '../engine/fact.ts'
import {
  chapterOfEnd,
  chapterOfFact,
  chapterOfLease,
  decodeChapter,
  droppedChapter,
  encodeChapter,
  keptHistoryKeys,
} from './history-record.ts'
import { chapterOfHistoryKey, historyKey } from './key.ts'

const ID = idOf(new Uint8Array(16).fill(1))
const ATTEMPT: AttemptRecord = {
  attempt: 3,
  token: 77,
  worker: 'wörker',
  session: 5,
  assignedAtMs: 100,
  startedAtMs: 200,
}
const BY = { task: 1, atMs: 300, actor: 'alice' }
const RELEASED: TaskReleased = {
  kind: 'task-released',
  reason: 'released',
  lost: false,
  attempt: ATTEMPT,
  ...BY,
}
const RETRIED: TaskRetried = {
  kind: 'task-retried',
  reason: 'failed',
  error: { message: 'it broke', type: 'Broken', stack: 'at …' },
  dueTickMs: 900,
  attempt: ATTEMPT,
  ...BY,
}

describe('history chapter', () => {
  it('tells of an attempt that was given back', () => {
    expect(chapterOfFact(RELEASED, 2)).toEqual({
      attempt: 3,
      generation: 2,
      transitions: [
        { state: 'assigned', reason: 'claimed', atMs: 100 },
        { state: 'running', reason: 'started', atMs: 200 },
        { state: 'queued', reason: 'released', atMs: 300 },
      ],
      worker: 'wörker',
      token: 77,
    })
  })

  it('tells why an attempt is made again', () => {
    const chapter = chapterOfFact(RETRIED, 0)

    expect(chapter.transitions.at(-1)).toEqual({ state: 'retrying', reason: 'failed', atMs: 300 })
    expect(chapter.error).toEqual({ message: 'it broke', type: 'Broken', stack: 'at …' })
  })

  it('of an attempt that was never started does not tell of running', () => {
    const assigned = { ...RELEASED, attempt: { ...ATTEMPT, startedAtMs: 0 } }

    const states = chapterOfFact(assigned, 0).transitions.map(({ state }) => state)
    expect(states).toEqual(['assigned', 'queued'])
  })

  it('tells how a task ended, with or without somebody who held it', () => {
    const error = { message: 'no more' }
    const dead = ended({ state: 'dead', reason: 'attempts_exhausted', error, attempt: ATTEMPT })
    const expired = ended({ state: 'expired', reason: 'expired' })

    expect(chapterOfEnd(dead)).toMatchObject({ attempt: 3, generation: 4, error, token: 77 })
    expect(chapterOfEnd(expired)).toEqual({
      attempt: 0,
      generation: 4,
      transitions: [{ state: 'expired', reason: 'expired', atMs: 400 }],
    })
  })

  it('of an attempt that goes on has no end', () => {
    const { transitions } = chapterOfLease(ATTEMPT, 1)

    expect(transitions.map(({ state }) => state)).toEqual(['assigned', 'running'])
  })

  it('comes back from its record', () => {
    for (const chapter of [chapterOfFact(RETRIED, 1), chapterOfLease(ATTEMPT, 2 ** 32 - 1)]) {
      const key = historyKey(ID, 9)
      expect(decodeChapter(key, encodeChapter(key, chapter))).toEqual(chapter)
    }
  })

  it('is told from every damage, and from another chapter', () => {
    const key = historyKey(ID, 9)

    expectDetected(key, encodeChapter(key, chapterOfFact(RELEASED, 2)), decodeChapter)
  })
})

describe('kept history', () => {
  const keptNumbers = (count: number): number[] =>
    keptHistoryKeys(ID, count).map(chapterOfHistoryKey)

  it('is all of it up to the first and 31 more', () => {
    expect(keptNumbers(0)).toEqual([])
    expect(keptNumbers(1)).toEqual([0])
    expect(keptNumbers(32)).toEqual([...Array(32).keys()])
  })

  it('is the first and the last 31 of more', () => {
    expect(keptNumbers(33)).toEqual([0, ...[...Array(31).keys()].map((number) => number + 2)])
    expect(keptNumbers(1_000).slice(0, 2)).toEqual([0, 969])
    expect(keptNumbers(1_000)).toHaveLength(1 + limits.HISTORY_CHAPTERS_MAX)
  })

  it('is what is left if each new chapter drops one', () => {
    const property = fc.property(fc.nat({ max: 200 }), (count) => {
      const left = new Set<number>()
      for (let number = 0; number < count; number += 1) {
        left.add(number)
        const dropped = droppedChapter(number)
        if (dropped !== undefined) left.delete(dropped)
      }
      expect(keptNumbers(count)).toEqual([...left].sort((one, other) => one - other))
    })
    assertProperty(property, 100)
  })
})

function ended(end: Pick<EndRecord, 'state' | 'reason'> & Partial<EndRecord>): EndedTask {
  const nothing = { result: undefined, error: undefined, note: undefined, attempt: undefined }
  return {
    id: ID,
    profile: undefined as never,
    priority: 1,
    failures: 1,
    losses: 0,
    generation: 4,
    chapters: 2,
    sequence: 1,
    createdAtMs: 1,
    payloadBytes: 0,
    timeoutMs: 1,
    keyed: false,
    end: { ...nothing, atMs: 400, actor: 'alice', ...end },
  }
}
