// Messages there and back, and what becomes of bodies that are no messages.

import * as fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { arbitraryEncoded } from '../../test/arbitrary-msgpack.ts'
import { arbitraryRequest } from '../../test/arbitrary-request.ts'
import { GOLDEN_REQUESTS } from '../../test/golden-message.ts'
import { hex, hexes, PAYLOAD, TASK_1 } from '../../test/golden-value.ts'
import { assertProperty } from '../../test/property.ts'
import { refusalOf } from '../../test/refusal.ts'
import { ERROR_CODES, TqError, type ErrorCode } from '../error.ts'
import {
  decodeRequest,
  decodeServerMessage,
  encodePushFrame,
  encodeRefusalFrame,
  encodeReplyFrame,
  encodeRequestFrame,
  RequestError,
} from './codec.ts'
import { FrameDecoder } from './frame.ts'

const foreign = new Packr({ useRecords: false })

function bodyOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(4)
}

/** The refusal of a body, with the id under which to send it. */
function refusedId(body: Uint8Array): number {
  const error = refusalOf(() => decodeRequest(body))
  expect(error).toBeInstanceOf(RequestError)
  return (error as RequestError).requestId
}

describe('encodeRequestFrame', () => {
  it('takes what fits into a frame and refuses what does not', () => {
    const payload = new Uint8Array(1_048_000)
    const enqueue = (count: number): Uint8Array => {
      const tasks = Array.from({ length: count }, () => ({
        id: undefined,
        type: 'x',
        payload,
        options: undefined,
      }))
      return encodeRequestFrame(1, { verb: 'enqueue', queue: 'mail', tasks, fresh: true })
    }

    expect(decodeRequest(bodyOf(enqueue(4))).id).toBe(1)
    const error = refusalOf(() => enqueue(5))
    expect(error.code).toBe('TOO_LARGE')
    expect(error.message).toContain('a request may have 4194304 bytes, this enqueue has 5240')
  })
})

describe('decodeRequest', () => {
  it('takes the arguments in any order and any form of MessagePack', () => {
    // This encoder writes 16-bit map heads and floats for large integers.
    const args = {
      fresh: true,
      sentAgoMs: null,
      tasks: [[TASK_1, 'mail.send', PAYLOAD, { ttlMs: 31_000_000_000 }]],
      queue: 'mail',
    }

    const { id, request } = decodeRequest(foreign.pack([0, 2 ** 32 - 1, 'enqueue', args]))

    expect(id).toBe(2 ** 32 - 1)
    expect(request).toEqual({
      verb: 'enqueue',
      queue: 'mail',
      tasks: [
        { id: TASK_1, type: 'mail.send', payload: PAYLOAD, options: { ttlMs: 31_000_000_000 } },
      ],
      fresh: true,
    })
  })

  it('gives ids and payloads as views of the body', () => {
    const golden = GOLDEN_REQUESTS.find(({ name }) => name === 'enqueue')
    const body = bodyOf(golden?.frame ?? new Uint8Array(0))

    const { request } = decodeRequest(body)

    const task = request.verb === 'enqueue' ? request.tasks[0] : undefined
    expect(task?.id?.buffer).toBe(body.buffer)
    expect(task?.payload.buffer).toBe(body.buffer)
  })

  it('names the request in its refusal, whatever is wrong behind the id', () => {
    expect(refusedId(foreign.pack([0, 7, 'ping', { what: 1 }]))).toBe(7)
    expect(refusedId(foreign.pack([0, 300, 'dance', {}]))).toBe(300)
    expect(refusedId(foreign.pack([0, 70_000, 'ping']))).toBe(70_000)
    expect(refusedId(foreign.pack([0, 5, 'ping', {}, 1]))).toBe(5)
    expect(refusedId(hex('94 00 cc c8 c1'))).toBe(200)
    expect(refusedId(hex('94 00 cd 0100'))).toBe(256)
    expect(refusedId(hex('94 00 ce 00010000 a4'))).toBe(65_536)
    expect(refusedId(hex('94 00 cf 00000000 00000009 a4'))).toBe(9)
    expect(refusedId(hex('dc 0004 00 09 c1'))).toBe(9)
    expect(refusedId(hex('dd 00000004 00 09 c1'))).toBe(9)
    expect(refusedId(hex('94 00 cb 4014000000000000 a4 70696e67 81 a1 61 c0'))).toBe(5)
  })

  it('refuses under id 0 what has no id to read', () => {
    for (const bytes of hexes(`
      c0 | 80 | 90 | 91 00 | 92 00 | 92 00 c0 | 94 01 07 c0 c0 | 94 00 00 a1 61 80 | 94 00 cd 01
      | 94 00 cf 00000001 00000000 c1 | 94 00 ff c0 c0 | a4 70696e67 | dc | 94 02 07 a1 61 80
      | 00
    `)) {
      expect(refusedId(bytes)).toBe(0)
    }
  })

  it('tells what a request looks like', () => {
    const error = refusalOf(() => decodeRequest(hex('93 00 07 a1 61')))

    expect([error.code, error.message]).toEqual([
      'BAD_REQUEST',
      'a request must be an array [0, id, verb, args]',
    ])
  })

  it('says UNSUPPORTED to a verb it does not know', () => {
    const texts = [foreign.pack([0, 1, 'dance', {}]), foreign.pack([0, 1, 5, {}])].map((body) => {
      const error = refusalOf(() => decodeRequest(body))
      expect(error.code).toBe('UNSUPPORTED')
      return error.message
    })

    expect(texts).toEqual([
      'the verb "dance" is not known to protocol 1',
      'the verb number is not known to protocol 1',
    ])
  })
})

describe('decodeServerMessage', () => {
  it('gives replies, refusals and pushes', () => {
    expect(decodeServerMessage(bodyOf(encodeReplyFrame(3, { count: 1 }, 2 ** 40)))).toEqual({
      kind: 'reply',
      id: 3,
      result: { count: 1 },
      lsn: 2 ** 40,
    })
    expect(decodeServerMessage(bodyOf(encodeRefusalFrame(0, 'TOO_LARGE', 'no')))).toEqual({
      kind: 'refusal',
      id: 0,
      error: new TqError('TOO_LARGE', 'no'),
    })
    expect(decodeServerMessage(bodyOf(encodePushFrame('stop', [])))).toEqual({
      kind: 'push',
      channel: 'stop',
      data: [],
    })
  })

  it('carries every code, with its details', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      const details = { retryAfterMs: 250, field: 'queue', fatal: false, other: null }
      const message = decodeServerMessage(bodyOf(encodeRefusalFrame(9, code, 'why', details)))

      expect(message.kind === 'refusal' && message.error).toEqual(new TqError(code, 'why', details))
    }
  })

  it('keeps the name of a code it does not know in the text', () => {
    const message = decodeServerMessage(foreign.pack([2, 1, 'BRAND_NEW', 'try later', null]))

    expect(message.kind === 'refusal' && message.error).toEqual(
      new TqError('INTERNAL', 'BRAND_NEW: try later'),
    )
  })

  it('takes more values than a request may have', () => {
    const rows = Array.from({ length: 9_000 }, (_, at) => [at, 1, 2, 3, 4, 5, 6, 7, 8])

    const message = decodeServerMessage(bodyOf(encodeReplyFrame(1, rows, 0)))

    expect(message.kind === 'reply' && message.result).toEqual(rows)
  })

  it('refuses what is no message of a broker', () => {
    for (const message of [
      null,
      {},
      [],
      [1],
      [1, 2, {}],
      [1, 0, {}, 0],
      [1, 1, {}, 'x'],
      [0, 1, 'ping', {}],
      [2, 1, 'INTERNAL', 'x'],
      [2, 1, 5, 'x', {}],
      [2, 1, 'INTERNAL', 5, {}],
      [2, -1, 'A', 'x', {}],
      [3, 'stop'],
      [3, 5, []],
      [4, 1, 2, 3],
      [1, 1.5, {}, 0],
      [1, 2 ** 32, {}, 0],
    ]) {
      const error = refusalOf(() => decodeServerMessage(foreign.pack(message)))
      expect(error.code).toBe('BAD_REQUEST')
      expect(error.message).toContain('a message from a broker must be [1, id, result, lsn]')
    }
  })
})

describe('properties', () => {
  it('gives every request back as it was sent', () => {
    const id = fc.integer({ min: 1, max: 2 ** 32 - 1 })
    const property = fc.property(id, arbitraryRequest, (sentId, sent) => {
      const [body] = new FrameDecoder(4 * 1024 * 1024).push(encodeRequestFrame(sentId, sent))

      expect(decodeRequest(body ?? new Uint8Array(0))).toEqual({ id: sentId, request: sent })
    })
    assertProperty(property, 2_000)
  })

  it('gives every reply back as it was sent', () => {
    const property = fc.property(arbitraryEncoded, fc.nat(), ({ value }, lsn) => {
      const message = decodeServerMessage(bodyOf(encodeReplyFrame(1, { value }, lsn)))

      const sent = { kind: 'reply', id: 1, result: { value }, lsn }
      expect(JSON.stringify(message)).toBe(JSON.stringify(sent))
    })
    assertProperty(property, 500)
  })

  it('answers any bytes with a request or a typed refusal, never with anything else', () => {
    const mutated = fc
      .tuple(
        fc.constantFrom(...GOLDEN_REQUESTS.map(({ frame }) => bodyOf(frame))),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
      )
      .map(([body, changes]) => {
        const copy = Uint8Array.from(body)
        for (const [at, byte] of changes) copy[at % copy.length] = byte
        return copy
      })
    const property = fc.property(mutated, (body) => {
      try {
        const { id, request } = decodeRequest(body)
        // What was accepted is in the form in which requests are sent.
        const again = decodeRequest(bodyOf(encodeRequestFrame(id, request)))
        expect(again).toEqual({ id, request })
      } catch (error) {
        expect(error).toBeInstanceOf(RequestError)
      }
    })
    assertProperty(property, 20_000)
  })
})
