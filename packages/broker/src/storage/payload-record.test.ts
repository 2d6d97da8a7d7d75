// Payload records: the bytes as they were, what goes with them only if there is any.
import type { TaskOptions } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { expectDetected, idOf } from '../../test/record-builder.ts'
import { taskKey } from './key.ts'
import {
  decodePayloadRecord,
  encodeMeta,
  PAYLOAD_RECORD_VERSION,
  payloadRecordBytes,
  readPayloadRecord,
  writePayloadRecord,
} from './payload-record.ts'
import { CorruptRecordError, seal } from './sealed.ts'

const KEY = taskKey('payload', idOf(new Uint8Array(16).fill(9)))
const aLine = fc.string({ unit: 'grapheme', maxLength: 30 })
const options: fc.Arbitrary<TaskOptions> = fc.record(
  {
    headers: fc.dictionary(aLine, aLine, { maxKeys: 4 }),
    trace: fc.record({ traceparent: aLine, tracestate: aLine }, { requiredKeys: ['traceparent'] }),
    idempotencyKey: aLine,
    durationHintMs: fc.nat(),
    sizeHintBytes: fc.constant(2 ** 53 - 1),
    priority: fc.nat({ max: 255 }),
    delayMs: fc.nat(),
  },
  { requiredKeys: [] },
)

describe('payload record', () => {
  it('gives back the payload and what goes with it', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 2_000 }), options, (payload, wish) => {
      const found = decodePayloadRecord(KEY, written(payload, wish))
      const { priority: _priority, delayMs: _delayMs, ...meta } = wish

      expect(Buffer.compare(found.payload, payload)).toBe(0)
      expect(found.meta).toEqual(JSON.parse(JSON.stringify(meta)))
    })
    assertProperty(property, 500)
  })

  it('keeps no meta of a task that has none', () => {
    expect(encodeMeta(undefined)).toHaveLength(0)
    expect(encodeMeta({ priority: 9, requires: { gpu: true } })).toHaveLength(0)
    expect(written(Uint8Array.of(1), undefined)).toHaveLength(5 + 4 + 1)
    expect(decodePayloadRecord(KEY, written(Uint8Array.of(1), undefined)).meta).toEqual({})
  })

  it('holds a payload of a mebibyte, and one of nothing', () => {
    const large = new Uint8Array(1024 * 1024).map((_, index) => index % 253)

    const found = decodePayloadRecord(KEY, written(large, { headers: { a: 'b' } }))

    expect(Buffer.compare(found.payload, large)).toBe(0)
    expect(decodePayloadRecord(KEY, written(new Uint8Array(0), undefined)).payload).toHaveLength(0)
  })

  it('lends the payload where the record lies', () => {
    const record = written(Uint8Array.of(1, 2), undefined)

    expect(readPayloadRecord(record).payload.buffer).toBe(record.buffer)
  })

  it('is told from every damage, and from the payload of another task', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 40 }), options, (payload, wish) => {
      expectDetected(KEY, written(payload, wish), decodePayloadRecord)
    })
    assertProperty(property, 10)
  })

  it('without room for the length of its meta is cut short', () => {
    const value = new Uint8Array(8)
    seal(KEY, value, PAYLOAD_RECORD_VERSION)

    expect(() => decodePayloadRecord(KEY, value)).toThrow(CorruptRecordError)
  })
})

function written(payload: Uint8Array, wish: TaskOptions | undefined): Uint8Array {
  const meta = encodeMeta(wish)
  const target = new Uint8Array(payloadRecordBytes(meta, payload))
  writePayloadRecord(target, KEY, { meta, payload })
  return target
}
