// Random values of the wire, written in any form that MessagePack allows, as foreign encoders do.

import * as fc from 'fast-check'

/** A value together with one of its encodings. */
export interface Encoded {
  readonly value: unknown
  readonly bytes: Uint8Array
}

const TEXT = new TextEncoder()

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}

/** A head with its length in 1, 2 or 4 bytes, whichever is asked for and wide enough. */
function head(first: number, length: number, byteCount: 1 | 2 | 4): Uint8Array {
  const step = { 1: 0, 2: 1, 4: 2 }[byteCount]
  const bytes = Buffer.alloc(1 + byteCount)
  bytes[0] = first + step
  bytes.writeUIntBE(length, 1, byteCount)
  return bytes
}

function widths(length: number): fc.Arbitrary<1 | 2 | 4> {
  return length < 0x100 ? fc.constantFrom(1, 2, 4) : fc.constantFrom(2, 4)
}

const integer: fc.Arbitrary<Encoded> = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: -200, max: 300 }),
      fc.integer(),
      fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
      fc.constantFrom(2 ** 53, -(2 ** 53), 0, -1, -32, -33, 127, 128, 2 ** 32),
    ),
    fc.nat(),
  )
  .map(([value, choice]) => {
    const forms = integerForms(value)
    return { value, bytes: forms[choice % forms.length] as Uint8Array }
  })

function integerForms(value: number): Uint8Array[] {
  const forms: Uint8Array[] = []
  const put = (first: number, byteCount: number, write: (bytes: Buffer) => void): void => {
    const bytes = Buffer.alloc(1 + byteCount)
    bytes[0] = first
    write(bytes)
    forms.push(Uint8Array.from(bytes))
  }
  put(0xcb, 8, (bytes) => bytes.writeDoubleBE(value, 1))
  put(0xd3, 8, (bytes) => bytes.writeBigInt64BE(BigInt(value), 1))
  if (value >= 0) put(0xcf, 8, (bytes) => bytes.writeBigUInt64BE(BigInt(value), 1))
  if (value >= 0 && value < 0x80) forms.push(Uint8Array.of(value))
  if (value < 0 && value >= -0x20) forms.push(Uint8Array.of(value + 0x100))
  for (const [step, byteCount] of [1, 2, 4].entries()) {
    const limit = 2 ** (8 * byteCount)
    if (value >= 0 && value < limit) {
      put(0xcc + step, byteCount, (bytes) => bytes.writeUIntBE(value, 1, byteCount))
    }
    if (value >= -limit / 2 && value < limit / 2) {
      put(0xd0 + step, byteCount, (bytes) => bytes.writeIntBE(value, 1, byteCount))
    }
  }
  return forms
}

const float: fc.Arbitrary<Encoded> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => {
    const bytes = Buffer.alloc(9, 0xcb)
    bytes.writeDoubleBE(value, 1)
    return { value, bytes: Uint8Array.from(bytes) }
  }),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => {
    const bytes = Buffer.alloc(5, 0xca)
    bytes.writeFloatBE(value, 1)
    return { value, bytes: Uint8Array.from(bytes) }
  }),
)

const simple: fc.Arbitrary<Encoded> = fc.constantFrom(
  { value: null, bytes: Uint8Array.of(0xc0) },
  { value: false, bytes: Uint8Array.of(0xc2) },
  { value: true, bytes: Uint8Array.of(0xc3) },
)

function stringForm(value: string, isShort: boolean): fc.Arbitrary<Encoded> {
  const utf8 = TEXT.encode(value)
  if (isShort && utf8.length < 0x20) {
    return fc.constant({ value, bytes: joined([Uint8Array.of(0xa0 | utf8.length), utf8]) })
  }
  return widths(utf8.length).map((width) => ({
    value,
    bytes: joined([head(0xd9, utf8.length, width), utf8]),
  }))
}

const string: fc.Arbitrary<Encoded> = fc
  .tuple(
    fc.oneof(
      fc.string({ maxLength: 80, unit: 'binary' }),
      fc.string({ maxLength: 80, unit: 'binary-ascii' }),
      fc.constantFrom('', '\u0000', 'mail.send', 'é', '🦊'),
    ),
    fc.boolean(),
  )
  .chain(([value, isShort]) => stringForm(value, isShort))

const bin: fc.Arbitrary<Encoded> = fc.uint8Array({ maxLength: 300 }).chain((value) =>
  widths(value.length).map((width) => ({
    value,
    bytes: joined([head(0xc4, value.length, width), value]),
  })),
)

function container(length: number, short: number, long: number): fc.Arbitrary<Uint8Array> {
  return fc.constantFrom(0, 2, 4).map((width) => {
    if (width === 0 && length < 0x10) return Uint8Array.of(short | length)
    const bytes = Buffer.alloc(width === 4 ? 5 : 3)
    bytes[0] = width === 4 ? long + 1 : long
    bytes.writeUIntBE(length, 1, bytes.length - 1)
    return Uint8Array.from(bytes)
  })
}

function array(item: fc.Arbitrary<Encoded>): fc.Arbitrary<Encoded> {
  return fc.array(item, { maxLength: 20, size: 'max' }).chain((items) =>
    container(items.length, 0x90, 0xdc).map((start) => ({
      value: items.map(({ value }) => value),
      bytes: joined([start, ...items.map(({ bytes }) => bytes)]),
    })),
  )
}

function map(item: fc.Arbitrary<Encoded>): fc.Arbitrary<Encoded> {
  const key = fc
    .string({ maxLength: 30, unit: 'grapheme' })
    .filter((text) => text !== '__proto__')
    .chain((text) => stringForm(text, text.length % 2 === 0))
  const entries = fc.uniqueArray(fc.tuple(key, item), {
    maxLength: 20,
    selector: ([{ value }]) => value,
  })
  return entries.chain((pairs) =>
    container(pairs.length, 0x80, 0xde).map((start) => ({
      value: Object.fromEntries(pairs.map(([name, { value }]) => [name.value, value])),
      bytes: joined([start, ...pairs.flatMap(([name, { bytes }]) => [name.bytes, bytes])]),
    })),
  )
}

/** Any value of the subset that docs/protocol.md describes, in any of its forms. */
export const arbitraryEncoded: fc.Arbitrary<Encoded> = fc.letrec<{ any: Encoded }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    simple,
    integer,
    float,
    string,
    bin,
    array(tie('any')),
    map(tie('any')),
  ),
})).any
