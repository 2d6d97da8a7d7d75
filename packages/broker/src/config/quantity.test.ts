// Numbers with units: what is read, and that what is written reads back.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readQuantity, showQuantity, spellingsOf, writeQuantity, type Unit } from './quantity.ts'

describe('a quantity', () => {
  it.each([
    ['500ms', 'ms', 500],
    ['15s', 'ms', 15_000],
    ['1.5h', 'ms', 5_400_000],
    ['7d', 'ms', 604_800_000],
    ['64MiB', 'bytes', 67_108_864],
    ['2 GiB', 'bytes', 2_147_483_648],
    ['10_000', 'count', 10_000],
    ['0.25', 'factor', 0.25],
    [' 42 ', 'ms', 42],
  ] as const)('reads %s in %s as %d', (text, unit, number) => {
    expect(readQuantity(text, unit)).toBe(number)
  })

  it.each([
    ['15s', 'bytes'],
    ['64MB', 'bytes'],
    ['1h30m', 'ms'],
    ['5m', 'count'],
    ['-5', 'ms'],
    ['', 'ms'],
    ['soon', 'ms'],
  ] as const)('leaves %s in %s to be refused', (text, unit) => {
    expect(readQuantity(text, unit)).toBe(text)
  })

  it('leaves what is no text as it is', () => {
    expect(readQuantity(7, 'ms')).toBe(7)
    expect(readQuantity(null, 'ms')).toBeNull()
  })

  it('is written in the greatest unit that leaves it whole', () => {
    expect(writeQuantity(86_400_000, 'ms')).toBe('1d')
    expect(writeQuantity(90_000, 'ms')).toBe('90s')
    expect(writeQuantity(1_500, 'ms')).toBe('1500ms')
    expect(writeQuantity(67_108_864, 'bytes')).toBe('64MiB')
    expect(writeQuantity(0, 'bytes')).toBe('0')
    expect(writeQuantity(5, 'count')).toBe('5')
  })

  it('is shown with its plain number, which errors name', () => {
    expect(showQuantity(15_000, 'ms')).toBe('15,000 (15s)')
    expect(showQuantity(100, 'ms')).toBe('100')
    expect(showQuantity(0.1, 'factor')).toBe('0.1')
  })

  it('says how it may be written', () => {
    expect(spellingsOf('ms')).toContain('15s')
    expect(spellingsOf('bytes')).toContain('64MiB')
    expect(spellingsOf('count')).toBe('')
  })

  it('reads back whatever was written', () => {
    const unit = fc.constantFrom<Unit>('ms', 'bytes', 'count')
    const property = fc.property(unit, fc.nat({ max: 2 ** 40 }), (of, number) => {
      expect(readQuantity(writeQuantity(number, of), of)).toBe(number)
    })
    fc.assert(property)
  })
})
