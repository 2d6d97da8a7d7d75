// Laws of cutting texts.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutText } from './cut-text.ts'

describe('cutText', () => {
  it('fits the limit, is a beginning of the text, and has no broken character', () => {
    const property = fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, bytesMax) => {
      const cut = cutText(text, bytesMax)
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytesMax)
      expect(text.startsWith(cut)).toBe(true)
      expect(cut).not.toContain('\ufffd')
    })
    fc.assert(property)
  })

  it('leaves a text that fits alone', () => {
    expect(cutText('grüße', 7)).toBe('grüße')
    expect(cutText('grüße', 3)).toBe('gr')
  })
})
