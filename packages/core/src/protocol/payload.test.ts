// Payloads: what SDKs may put into them and get out again, in any language.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryEncoded } from '../../test/arbitrary-msgpack.ts'
import { hex, hexOf } from '../../test/golden-value.ts'
import { assertProperty } from '../../test/property.ts'
import { refusalOf } from '../../test/refusal.ts'
import { decodePayload, encodePayload } from './payload.ts'

function again(value: unknown): unknown {
  return decodePayload(encodePayload(value))
}

describe('payload', () => {
  it('is plain MessagePack', () => {
    expect(hexOf(encodePayload({ to: 'ada@example.org', n: [1, null, true] }))).toBe(
      '82a2746faf616461406578616d706c652e6f7267a16e9301c0c3',
    )
    expect(hexOf(encodePayload(undefined))).toBe('c0')
    expect(hexOf(encodePayload({ a: undefined }))).toBe('81a161c0')
  })

  it('never writes records, however often a shape comes', () => {
    const values = Array.from({ length: 50 }, (_, at) => ({ at, name: 'x' }))

    expect(hexOf(encodePayload(values))).toBe(`dc0032${values.map(digitsOfPair).join('')}`)
  })

  it('keeps dates, bytes and integers up to 2^53, and larger ones exactly', () => {
    expect(again(new Date(1_500))).toEqual(new Date(1_500))
    expect(Array.from(again(Uint8Array.of(1, 2)) as Uint8Array)).toEqual([1, 2])
    expect(again([2 ** 53, -(2 ** 53), 2 ** 32])).toEqual([2 ** 53, -(2 ** 53), 2 ** 32])
    expect(decodePayload(hex('cf 0000000100000000'))).toBe(2 ** 32)
    expect(again(2n ** 60n)).toBe(2n ** 60n)
  })

  it('gives bytes that stay as they are while others are made', () => {
    const encoded = Array.from({ length: 2_000 }, (_, at) => encodePayload({ at }))

    expect(encoded.map((bytes) => decodePayload(bytes))).toEqual(
      Array.from({ length: 2_000 }, (_, at) => ({ at })),
    )
  })

  it('refuses what cannot be sent', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const error = refusalOf(() => encodePayload(cycle))
    expect(error.code).toBe('BAD_REQUEST')
    expect(error.message).toContain('the value cannot be sent: ')
  })

  it('refuses functions and symbols instead of sending nothing, and says where they are', () => {
    const saysTo = (value: unknown): string => refusalOf(() => encodePayload(value)).message
    const what = 'the value cannot be sent: value'

    expect(saysTo(() => 1)).toBe(`${what} is a function; send plain values only`)
    expect(saysTo({ to: [{ retry: () => 1 }] })).toBe(
      `${what}.to[0].retry is a function; send plain values only`,
    )
    expect(saysTo([Symbol('x')])).toBe(`${what}[0] is a symbol; send plain values only`)
    expect(saysTo(new Map([['a', () => 1]]))).toBe(
      `${what}.a is a function; send plain values only`,
    )
  })

  it('refuses what is nested deeper than can be written', () => {
    for (const depth of [3_000, 20_000, 200_000]) {
      let value: unknown = []
      for (let level = 1; level < depth; level += 1) value = [value]

      expect(() => encodePayload(value)).toThrow(/cannot be sent: it is nested too deeply/)
    }
  })

  it('refuses bytes that are no MessagePack, or refer to other parts of themselves', () => {
    for (const digits of ['', '92 01', '01 02', 'd6 69 00000001 91 d6 70 00000001']) {
      const error = refusalOf(() => decodePayload(hex(digits)))
      expect(error.code).toBe('BAD_REQUEST')
      expect(error.message).toContain('the bytes are no MessagePack: ')
    }
  })
})

describe('properties', () => {
  it('reads whatever another language wrote', () => {
    const property = fc.property(arbitraryEncoded, ({ value, bytes }) => {
      expect(JSON.stringify(decodePayload(bytes))).toBe(JSON.stringify(value))
    })
    assertProperty(property, 500)
  })
})

function digitsOfPair({ at }: { readonly at: number }): string {
  return `82a26174${at.toString(16).padStart(2, '0')}a46e616d65a178`
}
