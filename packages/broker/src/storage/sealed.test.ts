// A sealed value proves its bytes, its key and its version; anything else is refused.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import {
  CorruptRecordError,
  isDamage,
  isSealed,
  seal,
  SEAL_BYTES,
  sealJson,
  unseal,
  unsealJson,
} from './sealed.ts'

const KEY = Uint8Array.of(0x08, 0x00, 0x01)

const aKey = fc.uint8Array({ minLength: 1, maxLength: 40 })
const aBody = fc.uint8Array({ maxLength: 600 })

describe('seal', () => {
  it('is a big-endian CRC-32 of key, version and body, then the version', () => {
    const value = sealed(KEY, Uint8Array.of(0xab), 1)

    // crc32(08 00 01, 01 ab) by zlib.
    expect(Buffer.from(value).toString('hex')).toBe('af8f9dca01ab')
  })

  it('is told from every flipped bit and every cut', () => {
    const property = fc.property(aKey, fc.uint8Array({ maxLength: 24 }), (key, body) => {
      const value = sealed(key, body, 1)
      for (let bit = 0; bit < value.length * 8; bit += 1) {
        expect(isSealed(key, flipped(value, bit))).toBe(false)
      }
      for (let length = 0; length < value.length; length += 1) {
        expect(isSealed(key, value.subarray(0, length))).toBe(false)
      }
    })
    assertProperty(property, 50)
  })

  it('holds under its own key only', () => {
    const property = fc.property(aKey, aKey, aBody, (key, other, body) => {
      const isSame = Buffer.compare(key, other) === 0

      expect(isSealed(key, sealed(key, body, 1))).toBe(true)
      expect(isSealed(other, sealed(key, body, 1))).toBe(isSame)
    })
    assertProperty(property, 300)
  })

  it('gives the version', () => {
    expect(unseal(KEY, sealed(KEY, Uint8Array.of(), 3), 3)).toBe(3)
    expect(unseal(KEY, sealed(KEY, Uint8Array.of(), 1), 3)).toBe(1)
  })

  it.each([0, 4, 255])('refuses version %i where 3 is the newest', (version) => {
    const read = (): unknown => unseal(KEY, sealed(KEY, Uint8Array.of(), version), 3)

    expect(read).toThrow(CorruptRecordError)
    expect(read).toThrow(`key 080001 has version ${version}, known are 1 to 3`)
  })

  it('names the key whose checksum does not fit', () => {
    const damaged = flipped(sealed(KEY, Uint8Array.of(1), 1), 0)

    expect(() => unseal(KEY, damaged, 1)).toThrow('checksum of key 080001 does not fit')
  })
})

describe('sealed JSON', () => {
  it('is read back, whatever the text', () => {
    const property = fc.property(aKey, fc.jsonValue(), (key, body) => {
      const plain: unknown = JSON.parse(JSON.stringify(body))

      expect(unsealJson(key, sealJson(key, body, 1), 1)).toEqual(plain)
    })
    assertProperty(property, 300)
  })

  it('is refused with a broken seal, and with a version that is not known', () => {
    const value = sealJson(KEY, { name: 'é' }, 1)

    expect(() => unsealJson(KEY, flipped(value, 50), 1)).toThrow(CorruptRecordError)
    expect(() => unsealJson(KEY, sealJson(KEY, {}, 2), 1)).toThrow(CorruptRecordError)
  })
})

describe('damage', () => {
  it('is what reading bytes that make no sense throws', () => {
    expect(isDamage(new CorruptRecordError('x'))).toBe(true)
    expect(isDamage(new RangeError('cut short'))).toBe(true)
    expect(isDamage(new SyntaxError('no JSON'))).toBe(true)
    expect(isDamage(new TypeError('no UTF-8'))).toBe(true)
    expect(isDamage(new Error('a bug'))).toBe(false)
    expect(isDamage('text')).toBe(false)
  })
})

function sealed(key: Uint8Array, body: Uint8Array, version: number): Uint8Array {
  const value = new Uint8Array(SEAL_BYTES + body.length)
  value.set(body, SEAL_BYTES)
  seal(key, value, version)
  return value
}

function flipped(value: Uint8Array, bit: number): Uint8Array {
  return value.with(bit >>> 3, (value[bit >>> 3] ?? 0) ^ (1 << (bit & 7)))
}
