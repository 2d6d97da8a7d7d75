// The ring of payloads: what it lends is what was stored, and never bytes that were written over.
import { InvariantError, type TaskOptions } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { idOf } from '../../test/record-builder.ts'
import { taskKey } from './key.ts'
import { PayloadCache } from './payload-cache.ts'
import { decodePayloadRecord } from './payload-record.ts'

/** Length, seal and length of the meta, before the payload. */
const OVERHEAD_BYTES = 4 + 5 + 4

describe('PayloadCache', () => {
  it('gives back what was stored, sealed under its key', () => {
    const cache = new PayloadCache({ bytes: 1_000, safetyBytes: 100 })
    const options: TaskOptions = { headers: { a: 'b' } }

    const position = cache.store(keyOf(1), { payload: Uint8Array.of(1, 2, 3), options })

    const record = decodePayloadRecord(keyOf(1), cache.get(position) ?? new Uint8Array(0))
    expect([...record.payload]).toEqual([1, 2, 3])
    expect(record.meta).toEqual(options)
    expect(cache.uncommitted(position)).toEqual(cache.get(position))
  })

  it('has nothing at position 0: what a task has that was never in it', () => {
    const cache = new PayloadCache({ bytes: 1_000, safetyBytes: 100 })

    expect(cache.get(0)).toBeUndefined()
    expect(() => cache.uncommitted(0)).toThrow(InvariantError)
    expect(store(cache, 1, 0)).toBe(1)
  })

  it('fills the ring to its last byte, and then begins in front', () => {
    const cache = new PayloadCache({ bytes: 200, safetyBytes: 20 })
    const first = store(cache, 1, 100 - OVERHEAD_BYTES)
    const second = store(cache, 2, 100 - OVERHEAD_BYTES)
    const third = store(cache, 3, 50)

    expect([first, second, third]).toEqual([1, 101, 201])
    expect(cache.get(first)).toBeUndefined()
    expect(payloadOf(cache, third, 3)).toEqual(Array(50).fill(3))
  })

  it('leaves a gap rather than lay a record around the end', () => {
    const cache = new PayloadCache({ bytes: 200, safetyBytes: 20 })
    store(cache, 1, 150 - OVERHEAD_BYTES)
    const second = store(cache, 2, 60)

    expect(second).toBe(201)
    expect(payloadOf(cache, second, 2)).toEqual(Array(60).fill(2))
  })

  it('lends nothing that the next commit may write over', () => {
    const cache = new PayloadCache({ bytes: 300, safetyBytes: 100 })
    const first = store(cache, 1, 100 - OVERHEAD_BYTES)
    store(cache, 2, 100 - OVERHEAD_BYTES)
    const lent = cache.get(first)
    expect(lent).toBeDefined()

    store(cache, 3, 1)

    expect(cache.get(first)).toBeUndefined()
    // It is still there for its own commit, and where it was lent.
    expect(cache.uncommitted(first)).toEqual(lent)
  })

  it('refuses to build a commit from bytes that were written over', () => {
    const cache = new PayloadCache({ bytes: 300, safetyBytes: 100 })
    const first = store(cache, 1, 100)
    for (const number of [2, 3, 4]) store(cache, number, 100)

    expect(() => cache.uncommitted(first)).toThrow('no payload is written over before its commit')
  })

  it('is made with room for more than it must keep', () => {
    expect(() => new PayloadCache({ bytes: 199, safetyBytes: 100 })).toThrow(InvariantError)
  })

  it('never lends wrong bytes, and lends all that it must', () => {
    const sizes = fc.array(fc.nat({ max: 120 }), { maxLength: 60 })
    const property = fc.property(sizes, fc.integer({ min: 400, max: 700 }), (payloads, bytes) => {
      const safetyBytes = 200
      const cache = new PayloadCache({ bytes, safetyBytes })
      const positions = new Map<number, number>()
      const lent = new Map<number, { readonly record: Uint8Array; readonly written: number }>()
      let written = 0
      payloads.forEach((payload, number) => {
        positions.set(number, store(cache, number, payload))
        written = (positions.get(number) ?? 0) - 1 + OVERHEAD_BYTES + payload
        for (const [stored, position] of positions) {
          const record = cache.get(position)
          if (record !== undefined) {
            expectIntact(record, stored)
            if (!lent.has(stored)) lent.set(stored, { record, written })
          }
          // What was stored since the last `safetyBytes` were written is always there.
          if (written - position + 1 <= safetyBytes)
            expectIntact(cache.uncommitted(position), stored)
        }
        for (const [stored, { record, written: then }] of lent) {
          if (written - then <= safetyBytes) expectIntact(record, stored)
        }
      })
    })
    assertProperty(property, 200)
  })
})

function keyOf(number: number): Uint8Array {
  return taskKey('payload', idOf(new Uint8Array(16).fill(number)))
}

function store(cache: PayloadCache, number: number, payloadBytes: number): number {
  const payload = new Uint8Array(payloadBytes).fill(number)
  return cache.store(keyOf(number), { payload, options: undefined })
}

function payloadOf(cache: PayloadCache, position: number, number: number): number[] {
  const record = cache.get(position)
  if (record === undefined) throw new Error('the payload is in the cache')
  return [...decodePayloadRecord(keyOf(number), record).payload]
}

function expectIntact(record: Uint8Array, number: number): void {
  const { payload } = decodePayloadRecord(keyOf(number), record)
  expect(payload.every((byte) => byte === number)).toBe(true)
}
