// The writer: shortest forms, frames that stay as they are, and what it refuses to write.

import * as fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { arbitraryEncoded } from '../../test/arbitrary-msgpack.ts'
import { hexOf } from '../../test/golden-value.ts'
import { assertProperty } from '../../test/property.ts'
import { refusalOf } from '../../test/refusal.ts'
import { MSGPACK_NODES_MAX } from '../limits.ts'
import { guardMessage } from './msgpack-guard.ts'
import { readMessage } from './msgpack-reader.ts'
import { FrameWriter } from './msgpack-writer.ts'

const reference = new Unpackr({ useRecords: false, int64AsType: 'number' })
const writer = new FrameWriter()

function bodyOf(value: unknown): Uint8Array {
  writer.begin()
  writer.writeValue(value)
  const frame = writer.end()
  expect(Buffer.from(frame).readUInt32BE()).toBe(frame.length - 4)
  return frame.subarray(4)
}

function digitsOf(value: unknown): string {
  return hexOf(bodyOf(value))
}

describe('writer', () => {
  it('writes integers in their shortest form', () => {
    const forms = `
      0 00 | 127 7f | 128 cc80 | 255 ccff | 256 cd0100 | 65535 cdffff | 65536 ce00010000
      | 4294967295 ceffffffff | 4294967296 cf0000000100000000
      | 9007199254740992 cf0020000000000000 | 18014398509481984 cb4350000000000000
      | -0 00 | -1 ff | -32 e0 | -33 d0df | -128 d080 | -129 d1ff7f | -32768 d18000
      | -32769 d2ffff7fff | -2147483648 d280000000 | -2147483649 d3ffffffff7fffffff
      | -9007199254740992 d3ffe0000000000000 | 1.5 cb3ff8000000000000
    `
    for (const form of forms.split('|')) {
      const [value, digits] = form.trim().split(' ')
      expect([value, digitsOf(Number(value))]).toEqual([value, digits])
    }
  })

  it('writes heads of every width', () => {
    const startOf = (value: unknown): string => digitsOf(value).slice(0, 10)

    expect(startOf('a'.repeat(31))).toBe('bf61616161')
    expect(startOf('a'.repeat(32))).toBe('d920616161')
    expect(startOf('a'.repeat(49))).toBe('d931616161')
    expect(startOf('é')).toBe('a2c3a9')
    expect(startOf('é'.repeat(17))).toBe('d922c3a9c3')
    expect(startOf('a'.repeat(256))).toBe('da01006161')
    expect(startOf('a'.repeat(65_536))).toBe('db00010000')
    expect(startOf(new Uint8Array(255))).toBe('c4ff000000')
    expect(startOf(new Uint8Array(256))).toBe('c501000000')
    expect(startOf(new Uint8Array(65_536))).toBe('c600010000')
    expect(startOf(Array.from({ length: 16 }, () => 1))).toBe('dc00100101')
    expect(startOf(Array.from({ length: 65_536 }, () => 1))).toBe('dd00010000')
    expect(startOf(Object.fromEntries(Array.from({ length: 16 }, (_, at) => [at, 1])))).toBe(
      'de0010a130',
    )
  })

  it('leaves out fields that are undefined, and writes undefined elsewhere as nil', () => {
    expect(digitsOf({ a: undefined, b: null, c: [undefined] })).toBe('82a162c0a16391c0')
    expect(digitsOf(undefined)).toBe('c0')
  })

  it('writes objects without a prototype and with a field called constructor', () => {
    expect(digitsOf(Object.assign(Object.create(null), { a: true }))).toBe('81a161c3')
    expect(digitsOf({ constructor: false })).toBe('81ab636f6e7374727563746f72c2')
  })

  it('replaces half a surrogate pair, because a str must be UTF-8', () => {
    expect(digitsOf('a\ud800b')).toBe('a561efbfbd62')
  })

  it('refuses what the wire does not have', () => {
    const refused: readonly (readonly [unknown, string])[] = [
      [Number.NaN, 'a number in a message must be finite, got NaN'],
      [Number.POSITIVE_INFINITY, 'a number in a message must be finite, got Infinity'],
      [() => 1, 'a function cannot be sent in a message'],
      [1n, 'a bigint cannot be sent in a message'],
      [new Map(), 'a Map cannot be sent in a message'],
      [new Date(), 'a Date cannot be sent in a message'],
    ]
    for (const [value, text] of refused) {
      const error = refusalOf(() => bodyOf([value]))
      expect([error.code, error.message]).toEqual(['BAD_REQUEST', text])
    }
    expect(digitsOf(7)).toBe('07')
  })

  it('never touches a frame that it has given', () => {
    const values = Array.from({ length: 400 }, (_, at) => ({
      at,
      text: 'x'.repeat((at * 97) % 3_000),
    }))
    const large = { bytes: new Uint8Array(300_000).fill(7) }
    const bodies = [...values, large, ...values].map((value) => bodyOf(value))

    const read = bodies.map((body) => readMessage(body))

    expect(read).toEqual([...values, large, ...values])
  })

  it('moves a frame that outgrows its buffer, whole', () => {
    const value = Array.from({ length: 5_000 }, (_, at) => `text number ${at}`)

    expect(readMessage(bodyOf(value))).toEqual(value)
  })
})

describe('properties', () => {
  it('writes what the guard accepts, the reader reads back and another decoder understands', () => {
    const property = fc.property(arbitraryEncoded, ({ value }) => {
      const body = bodyOf(value)

      guardMessage(body, MSGPACK_NODES_MAX)
      expect(readMessage(body)).toEqual(mapped(value, (bytes) => bytes))
      const other = reference.unpack(body) as unknown
      expect(other).toEqual(mapped(value, (bytes) => Buffer.from(bytes)))
    })
    assertProperty(property, 1_000)
  })
})

/** The value with its bytes in another form, and with 0 for -0, which is written as an integer. */
function mapped(value: unknown, toBytes: (bytes: Uint8Array) => Uint8Array): unknown {
  if (value instanceof Uint8Array) return toBytes(value)
  if (Array.isArray(value)) return value.map((item) => mapped(item, toBytes))
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value
  const entries = Object.entries(value)
  return Object.fromEntries(entries.map(([key, inner]) => [key, mapped(inner, toBytes)]))
}
