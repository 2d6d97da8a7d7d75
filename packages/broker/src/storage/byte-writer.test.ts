// Records written into chunks: big-endian, complete, and never changed by the records after them.
import { InvariantError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { ByteWriter, textBytesMax } from './byte-writer.ts'

const CHUNK_BYTES = 256 * 1024

describe('ByteWriter', () => {
  it('writes numbers big-endian and text after its length', () => {
    const writer = new ByteWriter()

    writer.begin(40)
    writer.u8(0x01)
    writer.u16(0x0203)
    writer.u32(0x0405_0607)
    writer.f64(-2)
    writer.text('aé')
    writer.bytes(Uint8Array.of(0xfe, 0xff))

    const golden = '01' + '0203' + '04050607' + 'c000000000000000' + '000361c3a9' + 'feff'
    expect(Buffer.from(writer.end()).toString('hex')).toBe(golden)
  })

  it('leaves earlier records as they are, whatever is written after them', () => {
    const writer = new ByteWriter()
    const records = [...Array(40).keys()].map((number) => filled(writer, number, 50_000))

    records.forEach((record, number) => {
      expect(record).toHaveLength(50_000)
      expect(record.every((byte) => byte === number)).toBe(true)
    })
  })

  it('takes a record that is larger than a chunk', () => {
    const writer = new ByteWriter()
    const small = filled(writer, 1, 10)

    expect(filled(writer, 2, CHUNK_BYTES * 3)).toHaveLength(CHUNK_BYTES * 3)
    expect([...small]).toEqual(Array(10).fill(1))
  })

  it('packs records into one chunk while they fit', () => {
    const writer = new ByteWriter()

    expect(filled(writer, 1, 100).buffer).toBe(filled(writer, 2, 100).buffer)
  })

  it('writes a text of 65,535 bytes, and refuses a longer one', () => {
    const longest = 'é'.repeat(32_767) + 'x'
    const writer = new ByteWriter()
    writer.begin(textBytesMax(longest) + 3)

    writer.text(longest)
    expect(writer.end()).toHaveLength(2 + 65_535)

    writer.begin(textBytesMax(`${longest}x`))
    expect(() => writer.text(`${longest}x`)).toThrow(InvariantError)
  })

  it('refuses to cut a text for which there is no room', () => {
    const writer = new ByteWriter()
    writer.begin(CHUNK_BYTES)
    writer.bytes(new Uint8Array(CHUNK_BYTES - 4))

    expect(() => writer.text('abc')).toThrow('room for the text')
  })
})

function filled(writer: ByteWriter, byte: number, count: number): Uint8Array {
  writer.begin(count)
  writer.bytes(new Uint8Array(count).fill(byte))
  return writer.end()
}
