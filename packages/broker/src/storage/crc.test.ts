// What the checksum must catch, and that it is the CRC-32 everybody knows.
import * as fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { checksum } from './crc.ts'

const NO_KEY = new Uint8Array(0)

describe('checksum', () => {
  it('is CRC-32 of the key followed by the range of the value', () => {
    const bytes = fc.uint8Array({ maxLength: 1_500 })
    fc.assert(
      fc.property(bytes, bytes, fc.nat(20), fc.nat(20), (key, value, skipped, left) => {
        const from = Math.min(skipped, value.length)
        const to = Math.max(from, value.length - left)

        const expected = crc32(Buffer.concat([key, value.subarray(from, to)]))

        expect(checksum(key, value, from, to)).toBe(expected)
      }),
    )
  })

  it('has the check value of the standard', () => {
    const digits = new TextEncoder().encode('123456789')

    expect(checksum(NO_KEY, digits, 0, digits.length)).toBe(0xcbf43926)
  })

  it('differs for the same value under another key', () => {
    const value = new Uint8Array(400)

    const one = checksum(Uint8Array.of(1, 2), value, 0, 400)

    expect(checksum(Uint8Array.of(1, 3), value, 0, 400)).not.toBe(one)
    expect(checksum(Uint8Array.of(1), value, 0, 400)).not.toBe(one)
  })

  it.each([1, 7, 8, 9, 150, 303, 304, 1_000])('notices each flipped bit of %i bytes', (count) => {
    const value = Uint8Array.from({ length: count }, (_, index) => index * 7)
    const intact = checksum(NO_KEY, value, 0, count)

    for (let bit = 0; bit < count * 8; bit += 1) {
      const mask = 1 << (bit & 7)
      value[bit >>> 3] = (value[bit >>> 3] ?? 0) ^ mask
      expect(checksum(NO_KEY, value, 0, count)).not.toBe(intact)
      value[bit >>> 3] = (value[bit >>> 3] ?? 0) ^ mask
    }
  })
})
