// CRC-32C against the vectors of RFC 3720, at every alignment of the slices.

import { describe, expect, it } from 'vitest'
import { crc32c, maskedCrc32c } from './crc32c.ts'

const ASCENDING = Uint8Array.from({ length: 32 }, (_, index) => index)

describe('crc32c', () => {
  it.each([
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['32 ascending bytes', ASCENDING, 0x46dd794e],
    ['the digits', new TextEncoder().encode('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(0), 0],
  ])('of %s is that of the standard', (_, bytes, expected) => {
    expect(crc32c(bytes, 0, bytes.length)).toBe(expected)
  })

  it('looks at the part that it was given, and at no other', () => {
    const padded = new Uint8Array(64).fill(0x55)
    padded.set(ASCENDING, 13)

    expect(crc32c(padded, 13, 45)).toBe(0x46dd794e)
  })

  it('is masked the way LevelDB stores it', () => {
    expect(maskedCrc32c(ASCENDING, 0, 32)).toBe(
      (((0x46dd794e >>> 15) | (0x46dd794e << 17)) + 0xa282ead8) >>> 0,
    )
  })
})
