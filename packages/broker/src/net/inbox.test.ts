// Frames on their way from the socket to the pipeline.

import { TqError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { Inbox } from './inbox.ts'

function frame(...body: number[]): Uint8Array {
  return Uint8Array.of(0, 0, 0, body.length, ...body)
}

describe('Inbox', () => {
  it('gives bodies in the order in which they came, over several chunks', () => {
    const inbox = new Inbox()
    inbox.push(Buffer.concat([frame(1), frame(2)]))
    inbox.push(frame(3))

    const taken = [inbox.next(), inbox.next(), inbox.next()].map((body) => body?.[0])

    expect(taken).toEqual([1, 2, 3])
    expect(inbox.isEmpty).toBe(true)
    expect(inbox.next()).toBeUndefined()
  })

  it('tells whether bytes completed a frame, and whether one is incomplete', () => {
    const inbox = new Inbox()

    expect(inbox.push(frame(1, 2).subarray(0, 5))).toBe(false)
    expect(inbox.isAmidFrame).toBe(true)
    expect(inbox.push(Uint8Array.of(2, 0))).toBe(true)
    expect(inbox.isAmidFrame).toBe(true)
  })

  it('takes small bodies only, until it is told otherwise', () => {
    const header = Uint8Array.of(0, 0, 0x10, 1)

    expect(() => new Inbox().push(header)).toThrow(TqError)

    const inbox = new Inbox()
    inbox.frameBytesMax = 0x1001
    expect(inbox.push(header)).toBe(false)
  })

  it('tells how large the body is that is coming, and how much of it has come', () => {
    const inbox = new Inbox()
    const seen = Array.from(Uint8Array.of(...frame(1, 2, 3), 0, 0, 0), (byte) => {
      inbox.push(Uint8Array.of(byte))
      return [inbox.comingBytes, inbox.arrivedBytes]
    })

    expect(seen.slice(2, 7).map(String)).toEqual(['0,0', '3,0', '3,1', '3,2', '0,0'])
    expect(seen.at(-1)).toEqual([0, 0])
  })

  it('drops what waits when it is cleared', () => {
    const inbox = new Inbox()
    inbox.push(Buffer.concat([frame(1), frame(2)]))
    inbox.next()

    inbox.clear()

    expect(inbox.isEmpty).toBe(true)
    inbox.push(frame(3))
    expect(inbox.next()).toEqual(Uint8Array.of(3))
  })
})
