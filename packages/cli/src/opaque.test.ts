// Payloads and results, decoded where that is possible.

import { encodePayload } from '@tq/client'
import { describe, expect, it } from 'vitest'
import { aView } from '../test/admin.ts'
import { jsonOfBytes, showBytes } from './opaque.ts'

const TEXT = new TextEncoder().encode('{"a":1}')
const BINARY = new Uint8Array([0xc1, 0xff, 0xfe])

describe('jsonOfBytes', () => {
  it('is the decoded value under the name', () => {
    expect(jsonOfBytes('result', encodePayload({ a: 1 }))).toEqual({ result: { a: 1 } })
  })

  it('is base64 under a name of its own for bytes that are no MessagePack', () => {
    expect(jsonOfBytes('result', TEXT)).toEqual({ resultBase64: 'eyJhIjoxfQ==' })
  })

  it('is nothing for no bytes', () => {
    expect(jsonOfBytes('result', undefined)).toEqual({})
  })
})

describe('showBytes', () => {
  it('shows a value as JSON', () => {
    expect(showBytes(encodePayload({ a: [1] }), aView())).toBe('{\n  "a": [\n    1\n  ]\n}')
  })

  it('shows text of its own kind as it is', () => {
    expect(showBytes(TEXT, aView())).toBe('{"a":1}')
  })

  it('shows other bytes as base64, cut on a screen and whole in a pipe', () => {
    const many = new Uint8Array(10_000).fill(0xff)
    many[0] = 0xc1

    expect(showBytes(BINARY, aView())).toBe('base64: wf/+')
    expect(showBytes(many, aView({ isScreen: true }))).toMatch(/^base64: .{2000}…$/)
    expect(showBytes(many, aView())).toBe(`base64: ${Buffer.from(many).toString('base64')}`)
  })

  it('cuts many lines on a screen, and none in a pipe', () => {
    const value = encodePayload(Array.from({ length: 500 }, (_, index) => index))

    const onScreen = showBytes(value, aView({ isScreen: true })).split('\n')
    expect(onScreen).toHaveLength(201)
    expect(onScreen.at(-1)).toBe('… 302 more lines; -o json prints them all')
    expect(showBytes(value, aView()).split('\n')).toHaveLength(502)
  })
})
