// An ended task's record: how it ended comes back in full, and no damage to it goes unnoticed.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import {
  anEnd,
  aState,
  aTaskWish,
  expectDetected,
  place,
  queueOf,
  type TaskWish,
} from '../../test/record-builder.ts'
import type { EndedTask, EndRecord } from '../engine/fact.ts'
import { parseProfile, type Profile } from '../engine/profile.ts'
import type { EngineState } from '../engine/state.ts'
import { ByteWriter } from './byte-writer.ts'
import { decodeDone, DONE_RECORD_VERSION, encodeDone } from './done-record.ts'
import { taskKey } from './key.ts'
import { CorruptRecordError, seal } from './sealed.ts'

/** A task that nobody held when it ended: ending takes the lease away. */
const aWaitingTask = aTaskWish.map((wish): TaskWish => ({
  ...wish,
  core: { ...wish.core, state: 'queued', cancelRequested: false },
}))

describe('done record', () => {
  it('gives back the task and its end', () => {
    const property = fc.property(aWaitingTask, anEnd, (wish, end) => {
      const { state, key, value } = ended(wish, end)
      const { core } = wish

      const found = decode(state, key, value)

      expect(found.end).toEqual(end)
      expect(found.profile.queue).toBe(queueOf(state))
      expect(found).toMatchObject({
        id: core.id,
        priority: core.priority,
        failures: core.failures,
        losses: core.losses,
        generation: core.generation,
        chapters: core.chapters,
        sequence: core.sequence,
        createdAtMs: core.createdAtMs,
        payloadBytes: core.payloadBytes,
        timeoutMs: core.timeoutMs,
        keyed: core.keyed,
      })
      expect(found.profile.type).toBe(wish.profile.type)
    })
    assertProperty(property, 500)
  })

  it('holds a result of a mebibyte', () => {
    const [wish] = fc.sample(aWaitingTask, { numRuns: 1, seed: 2 })
    const result = new Uint8Array(1024 * 1024).map((_, index) => index % 251)
    const { state, key, value } = ended(wish as TaskWish, { ...END, result })

    const found = decode(state, key, value)

    expect(Buffer.compare(found.end.result ?? new Uint8Array(0), result)).toBe(0)
  })

  it('is told from every damage, and from another task', () => {
    const property = fc.property(aWaitingTask, anEnd, (wish, end) => {
      const { state, key, value } = ended(wish, end)

      expectDetected(key, value, (otherKey, other) => decode(state, otherKey, other))
    })
    assertProperty(property, 10)
  })

  it('is damaged if its queue is unknown', () => {
    const [wish] = fc.sample(aWaitingTask, { numRuns: 1, seed: 3 })
    const { key, value } = ended(wish as TaskWish, END)
    const read = (): unknown =>
      decodeDone(key, value, { id: key.subarray(3), profileOf: () => undefined })

    expect(read).toThrow(CorruptRecordError)
    expect(read).toThrow('names a queue or reason that does not exist')
  })

  it('is damaged if its reason is unknown', () => {
    const [wish] = fc.sample(aWaitingTask, { numRuns: 1, seed: 3 })
    const { state, key, value } = ended(wish as TaskWish, END)
    const at = value.length - (2 + END.actor.length + 1) - 8 - 1
    value[at] = 200
    seal(key, value, DONE_RECORD_VERSION)

    expect(() => decode(state, key, value)).toThrow('names a queue or reason that does not exist')
  })

  it('is damaged if the task in it has not ended', () => {
    const [wish] = fc.sample(aWaitingTask, { numRuns: 1, seed: 3 })
    const { state, key, value } = ended(wish as TaskWish, END)
    value[5] = 3
    seal(key, value, DONE_RECORD_VERSION)

    expect(() => decode(state, key, value)).toThrow('an ended task is queued')
  })
})

const END: EndRecord = {
  state: 'cancelled',
  reason: 'cancelled',
  atMs: 5,
  result: undefined,
  error: undefined,
  note: undefined,
  attempt: undefined,
  actor: 'alice',
}

function ended(
  wish: TaskWish,
  end: EndRecord,
): { readonly state: EngineState; readonly key: Uint8Array; readonly value: Uint8Array } {
  const state = aState()
  const task = place(state, wish)
  state.tasks.setState(task, end.state)
  const key = taskKey('done', wish.core.id)
  return { state, key, value: encodeDone(new ByteWriter(), key, { state, task, end }) }
}

function decode(state: EngineState, key: Uint8Array, value: Uint8Array): EndedTask {
  const profileOf = (text: string): Profile | undefined =>
    parseProfile(text, (number) => state.queuesByNumber.get(number))
  return decodeDone(key, value, { id: key.subarray(3), profileOf })
}
