// A run that does not overload is not called a pass.

import { expect, it } from 'vitest'
import { overloadOf } from './overloaded.ts'

it('is an overload if less is done than was offered', () => {
  expect(overloadOf(20_000, 11_000).isOverloaded).toBe(true)
})

it('is none if all that was offered is done, or more', () => {
  expect(overloadOf(20_000, 19_500).isOverloaded).toBe(false)
  expect(overloadOf(10_000, 14_000)).toEqual({
    isOverloaded: false,
    why: 'it was not overloaded: it did 140 % of what was offered; give it more SECONDS',
  })
})
