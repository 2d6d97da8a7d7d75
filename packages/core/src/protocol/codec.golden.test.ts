// Golden bytes of protocol 1. If one of these fails, the wire has changed: clients would break.

import { Unpackr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { encodeServerMessage, GOLDEN_REPLIES, GOLDEN_REQUESTS } from '../../test/golden-message.ts'
import { GOLDEN_SESSION } from '../../test/golden-session.ts'
import { hexOf } from '../../test/golden-value.ts'
import { decodeRequest, decodeServerMessage, encodeRequestFrame } from './codec.ts'
import { FRAME_HEADER_BYTES } from './frame.ts'
import { VERBS } from './parse-request.ts'

const reference = new Unpackr({ useRecords: false, int64AsType: 'number' })

describe('golden bytes of protocol 1', () => {
  it.each(GOLDEN_REQUESTS)('encodes and decodes the request $name', ({ id, request, frame }) => {
    expect(hexOf(encodeRequestFrame(id, request))).toBe(hexOf(frame))
    expect(decodeRequest(frame.subarray(FRAME_HEADER_BYTES))).toEqual({ id, request })
  })

  it.each(GOLDEN_REPLIES)('encodes and decodes the message $name', ({ message, frame }) => {
    expect(hexOf(encodeServerMessage(message))).toBe(hexOf(frame))
    expect(decodeServerMessage(frame.subarray(FRAME_HEADER_BYTES))).toEqual(message)
  })

  it.each(GOLDEN_SESSION)('encodes and decodes step $name of the session', (step) => {
    const body = step.frame.subarray(FRAME_HEADER_BYTES)
    if (step.from === 'client') {
      const { id, request } = step
      expect(hexOf(encodeRequestFrame(id, request))).toBe(hexOf(step.frame))
      expect(decodeRequest(body)).toEqual({ id, request })
    } else {
      expect(hexOf(encodeServerMessage(step.message))).toBe(hexOf(step.frame))
      expect(decodeServerMessage(body)).toEqual(step.message)
    }
  })

  it('has a length in front that fits', () => {
    for (const { frame } of [...GOLDEN_REQUESTS, ...GOLDEN_REPLIES]) {
      expect(Buffer.from(frame).readUInt32BE()).toBe(frame.length - FRAME_HEADER_BYTES)
    }
  })

  it('is MessagePack to another decoder', () => {
    for (const { id, request, frame } of GOLDEN_REQUESTS) {
      const message = reference.unpack(frame.subarray(FRAME_HEADER_BYTES)) as unknown[]
      expect(message.slice(0, 3)).toEqual([0, id, request.verb])
    }
  })

  it('has a request and an answer for every verb', () => {
    const verbs = new Set(GOLDEN_REQUESTS.map(({ request }) => request.verb))
    const answered = GOLDEN_REPLIES.flatMap(({ name, message }) =>
      message.kind === 'reply' ? [name] : [],
    )

    expect([...verbs].toSorted()).toEqual([...VERBS].toSorted())
    expect(answered.toSorted()).toEqual(GOLDEN_REQUESTS.map(({ name }) => name).toSorted())
  })
})
