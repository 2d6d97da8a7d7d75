// What the tasks of a load look like.

import { describe, expect, it } from 'vitest'
import { dueUsOf, TaskMaker } from './task-maker.ts'

const PLAIN = { payloadBytes: 200, priorities: 1, delayMs: 0 }

describe('the tasks of a load', () => {
  it('have a payload of the size asked for, and no options if none is asked for', () => {
    const task = new TaskMaker(PLAIN).next()

    expect(task.payload.bytes).toHaveLength(200)
    expect(task.options).toBeUndefined()
  })

  it('carry the moment when they were due', () => {
    const task = new TaskMaker(PLAIN).stamped(123_456.789)

    expect(dueUsOf(task.payload.bytes)).toBe(123_456.789)
    expect(task.payload.bytes).toHaveLength(200)
  })

  it('carry none if the payload is too small for it', () => {
    const task = new TaskMaker({ ...PLAIN, payloadBytes: 0 }).stamped(1)

    expect(dueUsOf(task.payload.bytes)).toBeUndefined()
  })

  it('have ten priorities over the whole range', () => {
    const maker = new TaskMaker({ ...PLAIN, priorities: 10 })
    const seen = Array.from({ length: 1_000 }, () => maker.next().options?.priority ?? -1)

    expect(new Set(seen).size).toBe(10)
    expect([Math.min(...seen), Math.max(...seen)]).toEqual([0, 255])
    expect(seen).not.toEqual(seen.toSorted((one, other) => one - other))
  })

  it('have the one priority that was named', () => {
    const task = new TaskMaker({ ...PLAIN, priorities: 10, priority: 200, delayMs: 50 }).next()

    expect(task.options).toEqual({ priority: 200, delayMs: 50 })
  })
})
