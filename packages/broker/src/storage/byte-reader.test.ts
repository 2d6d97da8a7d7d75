// What a writer wrote is what a reader reads; a cut record ends in an error, never in other bytes.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../../test/property.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter, textBytesMax } from './byte-writer.ts'

type Field =
  | { readonly kind: 'u8' | 'u16' | 'u32' | 'f64'; readonly value: number }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'text'; readonly value: string }

const aField: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ kind: fc.constant('u8' as const), value: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constant('u16' as const), value: fc.nat({ max: 65_535 }) }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.nat({ max: 2 ** 32 - 1 }) }),
  fc.record({ kind: fc.constant('f64' as const), value: fc.double({ noNaN: true }) }),
  fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({
    kind: fc.constant('text' as const),
    value: fc.string({ unit: 'grapheme', maxLength: 90 }),
  }),
)
const someFields = fc.array(aField, { maxLength: 12 })

describe('ByteReader', () => {
  it('reads what was written, from any place in a buffer', () => {
    const property = fc.property(someFields, fc.nat({ max: 9 }), (fields, from) => {
      const record = written(new ByteWriter(), fields)
      const page = Buffer.concat([Buffer.alloc(7), Buffer.alloc(from), record])
      const reader = new ByteReader(page.subarray(7), from)

      expect(fields.map((field) => read(reader, field))).toEqual(fields.map(({ value }) => value))
    })
    assertProperty(property, 300)
  })

  it('ends in a RangeError wherever the record was cut', () => {
    const property = fc.property(someFields, (fields) => {
      const record = written(new ByteWriter(), fields)
      for (let length = 0; length < record.length; length += 1) {
        const reader = new ByteReader(record.subarray(0, length), 0)
        expect(() => fields.forEach((field) => read(reader, field))).toThrow(RangeError)
      }
    })
    assertProperty(property, 50)
  })

  it('gives bytes that outlive the page they were read from', () => {
    const page = Buffer.from([1, 2, 3])
    const reader = new ByteReader(page, 0)

    const copy = reader.bytes(2)
    page.fill(0)

    expect([...copy]).toEqual([1, 2])
    expect(copy.buffer.byteLength).toBe(2)
  })

  it('gives views where nobody keeps them', () => {
    const page = Uint8Array.of(1, 2, 3)

    expect(new ByteReader(page, 1).view(2).buffer).toBe(page.buffer)
  })

  it('refuses text that is not UTF-8', () => {
    expect(() => new ByteReader(Uint8Array.of(0, 2, 0xc3, 0x28), 0).text()).toThrow(TypeError)
  })
})

function written(writer: ByteWriter, fields: readonly Field[]): Uint8Array {
  let bytesMax = 0
  for (const { kind, value } of fields) {
    bytesMax += kind === 'bytes' ? value.length : kind === 'text' ? textBytesMax(value) : 8
  }
  writer.begin(bytesMax)
  for (const field of fields) write(writer, field)
  return writer.end()
}

function write(writer: ByteWriter, field: Field): void {
  if (field.kind === 'bytes') writer.bytes(field.value)
  else if (field.kind === 'text') writer.text(field.value)
  else writer[field.kind](field.value)
}

function read(reader: ByteReader, { kind, value }: Field): unknown {
  return kind === 'bytes' ? reader.bytes(value.length) : reader[kind]()
}
