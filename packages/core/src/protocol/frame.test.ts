// Frames: every golden frame in every cut, and what a hostile stream gets.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GOLDEN_REPLIES, GOLDEN_REQUESTS } from '../../test/golden-message.ts'
import { assertProperty } from '../../test/property.ts'
import { refusalOf } from '../../test/refusal.ts'
import { FRAME_HEADER_BYTES, FrameDecoder } from './frame.ts'

const BYTES_MAX = 4 * 1024 * 1024
const frames = [...GOLDEN_REQUESTS, ...GOLDEN_REPLIES].map(({ frame }) => frame)

function frameOf(body: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + body.length)
  frame.writeUInt32BE(body.length)
  frame.set(body, FRAME_HEADER_BYTES)
  return frame
}

function header(length: number): Uint8Array {
  return frameOf(new Uint8Array(0)).map((_, at) => (length >>> (24 - 8 * at)) & 0xff)
}

/** All bodies that come out of the chunks, as plain arrays. */
function bodiesOf(chunks: readonly Uint8Array[], decoder = new FrameDecoder(BYTES_MAX)): string[] {
  const bodies = chunks.flatMap((chunk) => decoder.push(chunk))
  expect(decoder.pendingBytes).toBe(0)
  return bodies.map((body) => Buffer.from(body).toString('hex'))
}

function bodyHex(frame: Uint8Array): string {
  return Buffer.from(frame.subarray(FRAME_HEADER_BYTES)).toString('hex')
}

describe('frame decoder', () => {
  it('gives every golden body whole', () => {
    for (const frame of frames) expect(bodiesOf([frame])).toEqual([bodyHex(frame)])
  })

  it('gives every golden body byte by byte', () => {
    for (const frame of frames) {
      const bytes = Array.from(frame, (byte) => Uint8Array.of(byte))
      expect(bodiesOf(bytes)).toEqual([bodyHex(frame)])
    }
  })

  it('gives every golden body from two pieces, wherever they are cut', () => {
    for (const frame of frames) {
      for (let cut = 0; cut <= frame.length; cut += 1) {
        expect(bodiesOf([frame.subarray(0, cut), frame.subarray(cut)])).toEqual([bodyHex(frame)])
      }
    }
  })

  it('gives all golden bodies from one chunk, in order, as views of it', () => {
    const chunk = Buffer.concat(frames)

    const bodies = new FrameDecoder(BYTES_MAX).push(chunk)

    expect(bodies.map((body) => Buffer.from(body).toString('hex'))).toEqual(frames.map(bodyHex))
    for (const body of bodies) expect(body.buffer).toBe(chunk.buffer)
  })

  it('keeps a body that came in pieces apart from the next one', () => {
    const decoder = new FrameDecoder(BYTES_MAX)
    decoder.push(frameOf(Uint8Array.of(1, 2, 3)).subarray(0, 6))
    const [first] = decoder.push(Uint8Array.of(3, 0, 0))

    decoder.push(Uint8Array.of(0, 2, 9))
    const [second] = decoder.push(Uint8Array.of(8))

    expect(Array.from(first ?? [])).toEqual([1, 2, 3])
    expect(Array.from(second ?? [])).toEqual([9, 8])
  })

  it('counts the bytes of a frame that is not complete', () => {
    const decoder = new FrameDecoder(BYTES_MAX)

    expect(decoder.push(Uint8Array.of(0, 0))).toEqual([])
    expect(decoder.pendingBytes).toBe(2)
    expect(decoder.push(Uint8Array.of(0, 5, 1))).toEqual([])
    expect(decoder.pendingBytes).toBe(5)
    expect(decoder.push(new Uint8Array(0))).toEqual([])
    expect(decoder.push(Uint8Array.of(2, 3, 4, 5))).toHaveLength(1)
    expect(decoder.pendingBytes).toBe(0)
  })

  it('refuses an empty frame', () => {
    const error = refusalOf(() => new FrameDecoder(10).push(header(0)))

    expect(error.code).toBe('BAD_REQUEST')
    expect(error.message).toBe('a frame must not be empty, got 0 bytes')
  })

  it('takes the largest body and refuses one byte more as soon as its header is there', () => {
    const largest = frameOf(new Uint8Array(10))
    expect(bodiesOf([largest], new FrameDecoder(10))).toHaveLength(1)

    const decoder = new FrameDecoder(10)
    decoder.push(header(11).subarray(0, 3))
    const error = refusalOf(() => decoder.push(header(11).subarray(3)))

    expect(error.code).toBe('TOO_LARGE')
    expect(error.message).toBe('a frame may have 10 bytes here, its header says 11')
    expect(error.details).toEqual({ limit: 10, bytes: 11 })
  })

  it('reads the highest length as a positive number', () => {
    const error = refusalOf(() => new FrameDecoder(10).push(Uint8Array.of(255, 255, 255, 255)))

    expect(error.details['bytes']).toBe(2 ** 32 - 1)
  })

  it('takes larger bodies once the maximum has been raised', () => {
    const decoder = new FrameDecoder(10)
    decoder.bytesMax = 20

    expect(bodiesOf([frameOf(new Uint8Array(20))], decoder)).toHaveLength(1)
  })

  it('does not allocate what a header merely promises', () => {
    const before = process.memoryUsage().arrayBuffers
    const decoders = Array.from({ length: 100 }, () => new FrameDecoder(BYTES_MAX))

    for (const decoder of decoders) decoder.push(Buffer.concat([header(BYTES_MAX), header(1)]))

    const grown = process.memoryUsage().arrayBuffers - before
    expect(decoders.every((decoder) => decoder.pendingBytes === 8)).toBe(true)
    expect(grown).toBeLessThan(100 * 128 * 1024)
  })
})

describe('properties', () => {
  it('gives the bodies that were framed, however the stream is cut', () => {
    const property = fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 2_000, size: 'max' }), { maxLength: 8 }),
      fc.array(fc.nat({ max: 20_000 }), { maxLength: 12 }),
      (bodies, cuts) => {
        const stream = Buffer.concat(bodies.map(frameOf))
        const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length]
        const chunks = places.slice(1).map((end, index) => stream.subarray(places[index], end))

        expect(bodiesOf(chunks)).toEqual(bodies.map((body) => Buffer.from(body).toString('hex')))
      },
    )
    assertProperty(property, 300)
  })

  it('gives a large body that comes in small pieces', () => {
    const body = Uint8Array.from({ length: 700_000 }, (_, at) => at % 251)
    const stream = frameOf(body)
    const chunks: Uint8Array[] = []
    for (let at = 0; at < stream.length; at += 9_973) chunks.push(stream.subarray(at, at + 9_973))

    expect(bodiesOf(chunks)).toEqual([Buffer.from(body).toString('hex')])
  })
})
