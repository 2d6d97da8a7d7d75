// The guard: what it lets through, what it refuses and with which words, and that it never slips.

import * as fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { arbitraryEncoded } from '../../test/arbitrary-msgpack.ts'
import { GOLDEN_REPLIES, GOLDEN_REQUESTS } from '../../test/golden-message.ts'
import { hex, hexes } from '../../test/golden-value.ts'
import { assertProperty } from '../../test/property.ts'
import { refusalOf } from '../../test/refusal.ts'
import { TqError } from '../error.ts'
import {
  MSGPACK_ARRAY_MAX,
  MSGPACK_DEPTH_MAX,
  MSGPACK_KEY_BYTES_MAX,
  MSGPACK_MAP_MAX,
  MSGPACK_NODES_MAX,
  MSGPACK_STRING_BYTES_MAX,
} from '../limits.ts'
import { guardMessage } from './msgpack-guard.ts'

const reference = new Unpackr({ useRecords: false, int64AsType: 'number' })
const bodies = [...GOLDEN_REQUESTS, ...GOLDEN_REPLIES].map(({ frame }) => frame.subarray(4))

function guard(bytes: Uint8Array): void {
  guardMessage(bytes, MSGPACK_NODES_MAX)
}

function accepts(digits: string): void {
  expect(() => guard(hex(digits))).not.toThrow()
}

function refuses(bytes: Uint8Array, code: string, text: string): void {
  const error = refusalOf(() => guard(bytes))
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringContaining(text) as string,
  })
}

function head(digits: string, length: number, byteCount: number): Uint8Array {
  return Buffer.concat([hex(digits), hex(length.toString(16).padStart(2 * byteCount, '0'))])
}

/** A map of so many different keys with nil values. */
function mapOf(keys: readonly string[]): Uint8Array {
  const parts = keys.map((key) =>
    Buffer.concat([head('d9', key.length, 1), Buffer.from(key), hex('c0')]),
  )
  return Buffer.concat([head('de', keys.length, 2), ...parts])
}

describe('guard', () => {
  it('accepts every first byte of the subset, in every width', () => {
    for (const bytes of hexes(`
      00 | 7f | e0 | ff | c0 | c2 | c3 | cc ff | cd ffff | ce ffffffff | d0 80 | d1 8000
      | d2 80000000 | cf 0000000100000000 | d3 ffffffff00000000 | ca 3f800000
      | cb 3ff0000000000000 | ca 7f7fffff | cb 7fefffffffffffff | a0 | a1 41 | d9 01 41
      | da 0001 41 | db 00000001 41 | a2 c3a9 | a4 f09fa68a | c4 00 | c4 02 ffff | c5 0001 ff
      | c6 00000001 ff | 90 | 91 c0 | dc 0001 c0 | dd 00000001 c0 | 92 90 91 90 | 80
      | 81 a1 61 c0 | de 0001 a1 61 c0 | df 00000001 a1 61 c0 | 81 d9 01 61 80
      | 81 da 0001 61 c0 | 81 db 00000001 61 c0 | 82 a1 61 81 a1 61 c0 a1 62 c0 | d6 ff 00000000
      | d7 ff ee6b27fc 00000000 | c7 0c ff 3b9ac9ff 0000000000000000
    `)) {
      expect(() => guard(bytes)).not.toThrow()
    }
  })

  it('accepts all golden messages', () => {
    for (const body of bodies) expect(() => guard(body)).not.toThrow()
  })

  it('refuses every golden message that is cut off, wherever', () => {
    for (const body of bodies) {
      for (let end = 0; end < body.length; end += 1) {
        refuses(body.subarray(0, end), 'BAD_REQUEST', 'the message ends within a value')
      }
    }
  })

  it('refuses every golden message with a byte to spare', () => {
    for (const body of bodies) {
      const longer = Buffer.concat([body, Uint8Array.of(0xc0)])
      refuses(longer, 'BAD_REQUEST', 'a message must end with its value: 1 bytes follow')
    }
  })

  it('names the byte in its text and details', () => {
    const error = refusalOf(() => guard(hex('92 c0 c1')))

    expect(error.message).toBe(
      'the byte 0xc1 means nothing in MessagePack (at byte 2 of the message)',
    )
    expect(error.details).toEqual({ offset: 2 })
  })

  it('refuses lengths that promise more than there is', () => {
    for (const bytes of hexes(`
      a2 41 | d9 05 41 | da 00ff | c4 05 00 | c6 ffffffff 00 | d9 | da 00 | db 000000 | 91 | 81
      | 81 a1 | 81 a1 61 | dd 00000002 c0 | df 00000001 | dc | cd 00 | cb 00 | d6 ff 0000 | c7
      | c7 0c ff | d8 | 81 d9
    `)) {
      refuses(bytes, 'BAD_REQUEST', 'the message ends within a value')
    }
  })

  it('refuses a hostile length without allocating for it', () => {
    refuses(hex('dd 02000000'), 'TOO_LARGE', `an array may have ${MSGPACK_ARRAY_MAX} values here`)
    refuses(hex('df ffffffff'), 'TOO_LARGE', `a map may have ${MSGPACK_MAP_MAX} keys here`)
    refuses(hex('db 7fffffff'), 'TOO_LARGE', `may have ${MSGPACK_STRING_BYTES_MAX} bytes here`)
  })

  it('takes each limit and refuses one more', () => {
    const nils = (count: number): Uint8Array => new Uint8Array(count).fill(0xc0)
    const array = (count: number): Uint8Array => Buffer.concat([head('dc', count, 2), nils(count)])
    const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `key-${at}`)
    const text = (count: number): Uint8Array =>
      Buffer.concat([head('db', count, 4), new Uint8Array(count).fill(0x41)])
    const deep = (levels: number): Uint8Array =>
      Buffer.concat([new Uint8Array(levels - 1).fill(0x91), hex('90')])

    guard(array(MSGPACK_ARRAY_MAX))
    refuses(array(MSGPACK_ARRAY_MAX + 1), 'TOO_LARGE', 'an array may have')
    guard(mapOf(names(MSGPACK_MAP_MAX)))
    refuses(mapOf(names(MSGPACK_MAP_MAX + 1)), 'TOO_LARGE', 'a map may have')
    guard(text(MSGPACK_STRING_BYTES_MAX))
    refuses(text(MSGPACK_STRING_BYTES_MAX + 1), 'TOO_LARGE', 'a str or key may have')
    guard(deep(MSGPACK_DEPTH_MAX))
    refuses(deep(MSGPACK_DEPTH_MAX + 1), 'TOO_LARGE', 'a message may be 16 levels deep')
    guard(mapOf(['k'.repeat(MSGPACK_KEY_BYTES_MAX)]))
    refuses(mapOf(['k'.repeat(MSGPACK_KEY_BYTES_MAX + 1)]), 'TOO_LARGE', 'a str or key may have')
  })

  it('counts values and keys as nodes', () => {
    const body = hex('92 81 a1 61 c0 c0') // an array, a map, its key and value, a nil

    expect(() => guardMessage(body, 5)).not.toThrow()
    const error = refusalOf(() => guardMessage(body, 4))
    expect(error.code).toBe('TOO_LARGE')
    expect(error.message).toContain('a message may hold 4 values')
  })

  it('refuses numbers that no double holds', () => {
    for (const bytes of hexes(`
      cf 0020000000000000 | d3 0020000000000000 | d3 ffe0000000000000
    `)) {
      expect(() => guard(bytes)).not.toThrow()
    }
    for (const bytes of hexes(`
      cf 0020000000000001 | cf ffffffffffffffff | d3 8000000000000000
    `)) {
      refuses(bytes, 'BAD_REQUEST', 'an integer must lie between -2^53 and 2^53')
    }
    for (const bytes of hexes(`
      ca 7f800000 | ca ff800000 | ca 7fc00000 | ca ffffffff | cb 7ff0000000000000
      | cb fff0000000000000 | cb 7ff8000000000000
    `)) {
      refuses(bytes, 'BAD_REQUEST', 'a float must be a finite number')
    }
  })

  it('refuses extensions other than a timestamp', () => {
    for (const bytes of hexes(`
      d4 00 00 | d5 72 40 00 | d6 69 00000001 | d6 70 00000001
      | d8 42 00000000000000000000000000000000 | c7 01 73 00 | c8 0001 78 00 | c9 00000001 65 00
      | d7 00 0000000000000000
    `)) {
      refuses(bytes, 'BAD_REQUEST', 'the timestamp (-1) is the only extension type')
    }
    for (const bytes of hexes(`
      d4 ff 00 | d5 ff 0000 | d8 ff 00000000000000000000000000000000 | c7 00 ff
      | c7 05 ff 0000000000 | d7 ff ee6b2800 00000000 | c7 0c ff 3b9aca00 0000000000000000
    `)) {
      refuses(bytes, 'BAD_REQUEST', 'a timestamp must have 4, 8 or 12 bytes')
    }
  })

  it('refuses keys that are no str', () => {
    for (const bytes of hexes(`
      81 00 c0 | 81 c0 c0 | 81 c4 01 61 c0 | 81 90 c0 | 81 c1 c0
    `)) {
      refuses(bytes, 'BAD_REQUEST', 'a key of a map must be a str')
    }
  })

  it('refuses a key twice in a map, in small ones and large ones, however it is written', () => {
    const names = Array.from({ length: 40 }, (_, at) => `key-${at}`)
    for (const body of [
      hex('82 a1 61 c0 a1 61 c0'),
      hex('82 a1 61 c0 d9 01 61 c0'),
      hex('82 a1 61 81 a1 61 c0 a1 61 c0'),
      mapOf([...names, 'key-7']),
    ]) {
      refuses(body, 'BAD_REQUEST', 'a map must not have the same key twice')
    }
  })

  it('allows the same key in different maps', () => {
    const names = Array.from({ length: 40 }, (_, at) => `key-${at}`)

    accepts('82 a1 61 81 a1 62 c0 a1 62 c0')
    accepts('92 81 a1 61 c0 81 a1 61 c0')
    expect(() => guard(Buffer.concat([hex('92'), mapOf(names), mapOf(names)]))).not.toThrow()
  })

  it('refuses the key __proto__, and only that', () => {
    const key = (name: string): Uint8Array => mapOf([name])

    refuses(key('__proto__'), 'BAD_REQUEST', 'nor the key __proto__')
    for (const name of ['__proto_', '__proto_x', '__prot___', 'constructor', 'toString', '']) {
      expect(() => guard(key(name))).not.toThrow()
    }
  })

  it('refuses a str that is not UTF-8, short or long', () => {
    const overlong = Buffer.concat([hex('d9 40'), Buffer.alloc(62, 'a'), hex('c0af')])
    for (const body of [
      hex('a1 ff'),
      hex('a2 c080'),
      hex('a3 eda080'),
      hex('81 a1 80 c0'),
      overlong,
    ]) {
      refuses(body, 'BAD_REQUEST', 'a str must be valid UTF-8')
    }
  })

  it('starts afresh after a refusal inside a map', () => {
    expect(refusalOf(() => guard(hex('81 a1 61 81 a1 61 c1'))).code).toBe('BAD_REQUEST')

    accepts('82 a1 61 c0 a1 62 c0')
  })
})

describe('properties', () => {
  it('accepts every value of the subset in every form of it', () => {
    const property = fc.property(arbitraryEncoded, ({ bytes }) => guard(bytes))
    assertProperty(property, 1_000)
  })

  it('throws nothing but TqError, and accepts nothing that another decoder refuses', () => {
    const mutated = fc
      .tuple(
        fc.constantFrom(...bodies),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      )
      .map(([body, changes]) => {
        const copy = Uint8Array.from(body)
        for (const [at, byte] of changes) copy[at % copy.length] = byte
        return copy
      })
    const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), mutated)

    const property = fc.property(anyBytes, (bytes) => {
      try {
        guard(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(TqError)
        return
      }
      expect(() => reference.unpack(Buffer.from(bytes)) as unknown).not.toThrow()
    })
    assertProperty(property, 20_000)
  })
})
