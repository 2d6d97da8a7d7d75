// Payloads of a comparison: as long as asked for, and numbered.

import { describe, expect, it } from 'vitest'
import { BODY_BYTES_MIN, BodyMaker, bytesOfBody, numberInBytes } from './task-body.ts'

describe('a payload of the comparison', () => {
  it('has exactly the length asked for', () => {
    for (const length of [BODY_BYTES_MIN, 64, 200, 4_096, 65_535]) {
      const maker = new BodyMaker(length)
      for (const number of [0, 1, 29_999, 9_999_999_999]) {
        expect(bytesOfBody(maker.make(number))).toHaveLength(length)
      }
    }
  })

  it('is the same bytes for peers that send bytes and for those that write JSON', () => {
    const body = new BodyMaker(200).make(42)
    expect(JSON.stringify(body)).toBe(bytesOfBody(body).toString('latin1'))
  })

  it('gives its number back, from a view into other bytes too', () => {
    const bytes = bytesOfBody(new BodyMaker(200).make(4_711))
    const among = Buffer.concat([Buffer.from('in front'), bytes, Buffer.from('behind')])
    expect(numberInBytes(bytes)).toBe(4_711)
    expect(numberInBytes(new Uint8Array(among).subarray(8, 208))).toBe(4_711)
    expect(numberInBytes(Buffer.from('no task of ours'))).toBeNaN()
  })
})
