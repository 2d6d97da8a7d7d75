// Text of strangers, made safe for a screen.

import { describe, expect, it } from 'vitest'
import { printable, printableLines } from './printable.ts'

describe('printable', () => {
  it('leaves ordinary text alone', () => {
    expect(printable('grüße, 世界 – ok')).toBe('grüße, 世界 – ok')
  })

  it.each([
    ['a\nb\tc', 'a\\nb\\tc'],
    ['\u001b[2J', '\\u001b[2J'],
    ['\u009b31m', '\\u009b31m'],
    ['abc\u202etxt', 'abc\\u202etxt'],
  ])('shows control characters instead of obeying them: %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('may leave line breaks, of both kinds', () => {
    expect(printableLines('one\r\ntwo\n\u0007')).toBe('one\ntwo\n\\u0007')
  })
})
