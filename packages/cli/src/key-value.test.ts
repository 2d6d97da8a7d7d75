// Options of the form name=value.

import { describe, expect, it } from 'vitest'
import { parseHeader, parseLabel, showLabels } from './key-value.ts'

describe('name=value', () => {
  it('gathers headers as text', () => {
    expect(parseHeader('b=2=3', parseHeader('a=', undefined))).toEqual({ a: '', b: '2=3' })
  })

  it('reads labels as what they look like', () => {
    const labels = ['gpu=true', 'old=false', 'gb=1.5', 'zone=north', 'empty='].reduce(
      (before, text) => parseLabel(text, before),
      {},
    )

    expect(labels).toEqual({ gpu: true, old: false, gb: 1.5, zone: 'north', empty: '' })
    expect(showLabels(labels)).toBe('gpu=true old=false gb=1.5 zone=north empty=')
  })

  it.each(['a', '=b', ''])('refuses "%s"', (text) => {
    expect(() => parseHeader(text, undefined)).toThrow('Write name=value.')
  })
})
