// The head's bytes are fixed, and damage to them is told from a newer format.
import { describe, expect, it } from 'vitest'
import { checksum } from './crc.ts'
import { decodeHead, encodeHead, HEAD_BYTES, HEAD_KEY, type Head } from './head-record.ts'

const HEAD: Head = {
  storeId: Uint8Array.from({ length: 16 }, (_, index) => index),
  epoch: 2 ** 21 - 1,
  lsn: 2 ** 53 - 1,
}
/** As format 1 was released. */
const GOLDEN =
  '00000001' + '000102030405060708090a0b0c0d0e0f' + '00000000001fffff' + '001fffffffffffff'

describe('head record', () => {
  it('has the bytes of format 1', () => {
    const bytes = encodeHead(HEAD_KEY, HEAD)

    expect(Buffer.from(bytes).toString('hex').slice(0, -8)).toBe(GOLDEN)
    expect(bytes).toHaveLength(HEAD_BYTES)
  })

  it('is read back, from any place in a buffer', () => {
    const bytes = Buffer.concat([Buffer.alloc(3), encodeHead(HEAD_KEY, HEAD)]).subarray(3)

    expect(decodeHead(HEAD_KEY, bytes)).toEqual({ kind: 'head', head: HEAD })
  })

  it('is corrupt with any bit flipped, under another key, and cut short', () => {
    const bytes = encodeHead(HEAD_KEY, HEAD)
    for (let bit = 0; bit < HEAD_BYTES * 8; bit += 1) {
      const flipped = bytes.with(bit >>> 3, (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7)))
      expect(decodeHead(HEAD_KEY, flipped)).toEqual({ kind: 'corrupt' })
    }

    expect(decodeHead(Uint8Array.of(0), bytes)).toEqual({ kind: 'corrupt' })
    for (let count = 0; count < HEAD_BYTES; count += 1) {
      expect(decodeHead(HEAD_KEY, bytes.subarray(0, count))).toEqual({ kind: 'corrupt' })
    }
  })

  it.each([
    [2, 40, { kind: 'newer', formatVersion: 2 }],
    [2, 64, { kind: 'newer', formatVersion: 2 }],
    [1, 64, { kind: 'corrupt' }],
    [0, 40, { kind: 'corrupt' }],
  ])('of format %i in %i intact bytes reads so', (format, byteCount, expected) => {
    const bytes = new Uint8Array(byteCount)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, format)
    view.setUint32(byteCount - 4, checksum(HEAD_KEY, bytes, 0, byteCount - 4))

    expect(decodeHead(HEAD_KEY, bytes)).toEqual(expected)
  })
})
