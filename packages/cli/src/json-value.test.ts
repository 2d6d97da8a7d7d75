// Values of MessagePack as plain JSON.

import { fc, it as property } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { jsonValue } from './json-value.ts'

describe('jsonValue', () => {
  it('leaves alone what JSON can hold', () => {
    const value = { text: 'a', number: 1.5, yes: true, none: null, list: [1, [2]], map: { a: {} } }

    expect(jsonValue(value)).toEqual(value)
  })

  it.each([
    ['bytes', new Uint8Array([1, 2]), { $base64: 'AQI=' }],
    ['large integers', 2n ** 60n, { $integer: '1152921504606846976' }],
    ['moments', new Date(0), { $time: '1970-01-01T00:00:00.000Z' }],
    ['moments that are none', new Date(NaN), { $time: 'invalid' }],
    ['NaN', NaN, { $number: 'NaN' }],
    ['infinity', -Infinity, { $number: '-Infinity' }],
    ['undefined', undefined, null],
  ])('writes %s as an object of one key', (_, value, json) => {
    expect(jsonValue(value)).toEqual(json)
    expect(jsonValue([{ inside: value }])).toEqual([{ inside: json }])
  })

  it('turns the keys of maps into text', () => {
    expect(jsonValue(new Map<unknown, unknown>([[1, 'one']]))).toEqual({ '1': 'one' })
  })

  it('keeps a key that would set a prototype', () => {
    const value = JSON.parse('{"__proto__": 1}') as unknown

    expect(JSON.stringify(jsonValue(value))).toBe('{"__proto__":1}')
  })

  property.prop([fc.jsonValue()])('changes no JSON', (value) => {
    expect(JSON.stringify(jsonValue(value))).toBe(JSON.stringify(value))
  })
})
