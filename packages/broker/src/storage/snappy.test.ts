// Snappy by the examples of its description, and what no compressor has written.

import { describe, expect, it } from 'vitest'
import { LevelFormatError } from './level-bytes.ts'
import { decompressSnappy } from './snappy.ts'

const TEXT = new TextEncoder()

describe('decompressSnappy', () => {
  it('copies literals', () => {
    expect(decompressSnappy(Uint8Array.of(3, 2 << 2, 1, 2, 3))).toEqual(Uint8Array.of(1, 2, 3))
    expect(decompressSnappy(Uint8Array.of(0))).toEqual(new Uint8Array(0))
  })

  it('copies literals whose length has bytes of its own', () => {
    const long = new Uint8Array(300).fill(7)
    const compressed = Uint8Array.of(0xac, 0x02, 61 << 2, 0x2b, 0x01, ...long)

    expect(decompressSnappy(compressed)).toEqual(long)
  })

  it.each([
    ['one byte', [0b000_010_01, 2]],
    ['two bytes', [((6 - 1) << 2) | 2, 2, 0]],
    ['four bytes', [((6 - 1) << 2) | 3, 2, 0, 0, 0]],
  ])('repeats what it has written, from an offset of %s', (_, copy) => {
    const compressed = Uint8Array.of(8, 1 << 2, ...TEXT.encode('xa'), ...copy)

    expect(new TextDecoder().decode(decompressSnappy(compressed))).toBe('xaxaxaxa')
  })

  it.each([
    ['a literal that is cut off', [3, 2 << 2, 1]],
    ['an offset of nothing', [8, 1 << 2, 1, 2, 0b000_010_01, 0]],
    ['an offset before the beginning', [8, 1 << 2, 1, 2, 0b000_010_01, 3]],
    ['less than was announced', [8, 1 << 2, 1, 2]],
    ['more than was announced', [1, 1 << 2, 1, 2]],
    ['a length that would not fit memory', [0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['no length', []],
  ])('refuses %s', (_, bytes) => {
    expect(() => decompressSnappy(Uint8Array.from(bytes))).toThrow(LevelFormatError)
  })
})
