// beanstalkd's replies, whichever way the network cuts them.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Reply, ReplyParser } from './reply-parser.ts'

interface Sent {
  readonly bytes: Buffer
  readonly reply: { readonly word: string; readonly words: string[]; readonly body?: string }
}

describe('the parser of beanstalkd’s replies', () => {
  const story = Buffer.from(
    'INSERTED 7\r\nRESERVED 7 11\r\nDELETED\r\n\r\n\r\nDELETED\r\nTIMED_OUT\r\nOK 0\r\n\r\n',
    'latin1',
  )

  it('finds the same replies wherever one cut falls', () => {
    const whole = repliesIn([story])
    expect(whole.map((reply) => [reply.word, ...reply.words, reply.body])).toEqual([
      ['INSERTED', '7', undefined],
      ['RESERVED', '7', '11', 'DELETED\r\n\r\n'],
      ['DELETED', undefined],
      ['TIMED_OUT', undefined],
      ['OK', '0', ''],
    ])
    for (let at = 0; at <= story.length; at += 1) {
      expect(repliesIn([story.subarray(0, at), story.subarray(at)])).toEqual(whole)
    }
  })

  it('finds them byte by byte', () => {
    const bytes = [...story].map((byte) => Buffer.of(byte))
    expect(repliesIn(bytes)).toEqual(repliesIn([story]))
  })

  it('finds any replies in any pieces, with bodies of any bytes', () => {
    fc.assert(
      fc.property(fc.array(anyReply()), fc.array(fc.nat(200)), (sent, sizes) => {
        const stream = Buffer.concat(sent.map(({ bytes }) => bytes))
        const expected = sent.map(({ reply }) => ({ body: undefined, ...reply }))
        expect(repliesIn(piecesOf(stream, sizes))).toEqual(expected)
      }),
    )
  })

  it('holds back what is not whole', () => {
    expect(repliesIn([story.subarray(0, -1)])).toHaveLength(4)
    expect(repliesIn([Buffer.from('RESERVED 7 3\r\nabc\r')])).toEqual([])
  })

  it('refuses a body that is longer than announced', () => {
    expect(() => repliesIn([Buffer.from('RESERVED 7 3\r\nabcd\r\n')])).toThrow('does not end')
  })

  it('refuses an announcement that is no length', () => {
    expect(() => repliesIn([Buffer.from('RESERVED 7 many\r\n')])).toThrow('"many" bytes')
  })

  it('refuses a line without an end', () => {
    expect(() => repliesIn([Buffer.alloc(2_000, 'x')])).toThrow('more than 1024 bytes')
  })
})

function repliesIn(chunks: readonly Buffer[]): (Omit<Reply, 'body'> & { body?: string })[] {
  const replies: (Omit<Reply, 'body'> & { body?: string })[] = []
  const parser = new ReplyParser(({ word, words, body }) => {
    // Read at once: a body is a view into bytes that the caller may use again.
    const text = body === undefined ? undefined : Buffer.from(body).toString('latin1')
    replies.push({ word, words, body: text } as (typeof replies)[number])
  })
  for (const chunk of chunks) parser.push(chunk)
  return replies
}

function anyReply(): fc.Arbitrary<Sent> {
  const id = fc.nat().map(String)
  const bare = fc.constantFrom('DELETED', 'TIMED_OUT', 'BURIED', 'NOT_FOUND').map((word) => {
    return { bytes: Buffer.from(`${word}\r\n`), reply: { word, words: [] } }
  })
  const inserted = id.map((words) => {
    return {
      bytes: Buffer.from(`INSERTED ${words}\r\n`),
      reply: { word: 'INSERTED', words: [words] },
    }
  })
  const reserved = fc.tuple(id, fc.uint8Array({ maxLength: 300 })).map(([job, bytes]) => {
    const words = [job, String(bytes.length)]
    const head = Buffer.from(`RESERVED ${words.join(' ')}\r\n`)
    return {
      bytes: Buffer.concat([head, bytes, Buffer.from('\r\n')]),
      reply: { word: 'RESERVED', words, body: Buffer.from(bytes).toString('latin1') },
    }
  })
  return fc.oneof(bare, inserted, reserved)
}

/** The stream in pieces of these sizes, the rest in one. */
function piecesOf(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  for (const size of sizes) {
    pieces.push(stream.subarray(at, at + size))
    at += size
  }
  return [...pieces, stream.subarray(at)]
}
