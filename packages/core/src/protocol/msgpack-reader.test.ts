// The reader: what comes out of bytes that the guard has passed.

import * as fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { arbitraryEncoded } from '../../test/arbitrary-msgpack.ts'
import { hex } from '../../test/golden-value.ts'
import { assertProperty } from '../../test/property.ts'
import { readMessage } from './msgpack-reader.ts'

const reference = new Unpackr({ useRecords: false, int64AsType: 'number' })

describe('reader', () => {
  it('reads numbers of every width', () => {
    expect(
      readMessage(hex('98 cc ff cd 8001 ce 80000001 d0 80 d1 8000 d2 80000000 7f e0')),
    ).toEqual([255, 32_769, 2_147_483_649, -128, -32_768, -2_147_483_648, 127, -32])
    expect(readMessage(hex('cf 0020000000000000'))).toBe(2 ** 53)
    expect(readMessage(hex('d3 ffe0000000000000'))).toBe(-(2 ** 53))
    expect(readMessage(hex('d3 ffffffffffffffff'))).toBe(-1)
    expect(readMessage(hex('92 ca 3fc00000 cb 3ff8000000000000'))).toEqual([1.5, 1.5])
  })

  it('gives bins as views of the message', () => {
    const body = hex('93 c4 02 0102 c5 0001 03 c6 00000000')

    const bins = readMessage(body) as Uint8Array[]

    expect(bins.map((bin) => Array.from(bin))).toEqual([[1, 2], [3], []])
    for (const bin of bins) expect(bin.buffer).toBe(body.buffer)
  })

  it('reads from a view that begins in the middle of its buffer', () => {
    const body = hex('ffff 92 a1 78 c4 01 09').subarray(2)

    expect(readMessage(body)).toEqual(['x', Uint8Array.of(9)])
  })

  it('reads timestamps of all three sizes as dates', () => {
    expect(readMessage(hex('d6 ff 00000001'))).toEqual(new Date(1_000))
    expect(readMessage(hex('d7 ff 77359400 00000001'))).toEqual(new Date(1_500))
    expect(readMessage(hex('c7 0c ff 1dcd6500 ffffffffffffffff'))).toEqual(new Date(-500))
    expect(readMessage(hex('c8 000c ff 00000000 0000000000000002'))).toEqual(new Date(2_000))
    expect(readMessage(hex('c9 00000004 ff 00000003'))).toEqual(new Date(3_000))
  })

  it('tells texts of the same length and hash apart', () => {
    const texts = Array.from({ length: 3_000 }, (_, at) => `t${at.toString(36).padStart(3, '0')}`)
    const parts = texts.map((text) => Buffer.concat([hex('a4'), Buffer.from(text)]))

    expect(readMessage(Buffer.concat([hex('dc 0bb8'), ...parts]))).toEqual(texts)
    expect(readMessage(Buffer.concat([hex('dc 0bb8'), ...parts]))).toEqual(texts)
  })

  it('reads keys of every form and length', () => {
    const long = 'k'.repeat(100)
    const body = Buffer.concat([
      hex('85 a4 6d61696c 01 d9 01 61 02 da 0002 6162 03 db 00000002 c3a9 04 d9 64'),
      Buffer.from(long),
      hex('05'),
    ])

    const object = { mail: 1, a: 2, ab: 3, é: 4, [long]: 5 }
    expect(readMessage(body)).toEqual(object)
    expect(readMessage(body)).toEqual(object)
  })

  it('keeps keys that every object seems to have', () => {
    const object = readMessage(hex('81 ab 636f6e7374727563746f72 01')) as object

    expect(Object.hasOwn(object, 'constructor')).toBe(true)
    expect(Object.entries(object)).toEqual([['constructor', 1]])
  })
})

describe('properties', () => {
  it('reads every value of the subset, whatever its form, like another decoder', () => {
    const property = fc.property(arbitraryEncoded, ({ value, bytes }) => {
      const read = readMessage(bytes)

      expect(read).toEqual(value)
      const other = reference.unpack(Buffer.from(bytes)) as unknown
      expect(JSON.stringify(read)).toBe(JSON.stringify(plain(other)))
    })
    assertProperty(property, 1_000)
  })
})

/** The other decoder gives its own kind of bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
