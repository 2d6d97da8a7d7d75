// Slots are part of every id and key for ever: these values must never change.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertProperty } from '../test/property.ts'
import { SLOT_COUNT, slotOfQueue } from './slot.ts'

/** FNV-1a as its authors write it, slow and with large integers. */
function slotBySpecification(queue: string): number {
  let hash = 2_166_136_261n
  for (const byte of Buffer.from(queue, 'utf8')) {
    hash = ((hash ^ BigInt(byte)) * 16_777_619n) % 2n ** 32n
  }
  return Number(hash % 1024n)
}

describe('slot', () => {
  it('has these values for ever', () => {
    const slots = ['', 'a', 'mail', 'reports', 'default', 'media/video', 'grüße', 'x'.repeat(128)]

    expect(slots.map(slotOfQueue)).toEqual([453, 300, 302, 840, 990, 479, 600, 965])
    expect(SLOT_COUNT).toBe(1024)
  })
})

describe('properties', () => {
  it('is FNV-1a over the UTF-8 bytes, modulo 1024', () => {
    const property = fc.property(fc.string({ unit: 'binary' }), (queue) => {
      expect(slotOfQueue(queue)).toBe(slotBySpecification(queue))
    })
    assertProperty(property, 1_000)
  })
})
