// Minimising on its own: what is left fails, and nothing can be left out of it.

import { describe, expect, it } from 'vitest'
import { minimised } from './minimise.ts'

describe('minimised', () => {
  it('keeps only what is needed to fail', async () => {
    const items = Array.from({ length: 100 }, (_, index) => index)
    const fails = (some: readonly number[]): boolean => some.includes(7) && some.includes(83)

    expect(await minimised(items, fails)).toEqual([7, 83])
  })

  it('gives back what cannot be made smaller', async () => {
    expect(await minimised([1, 2], (some) => some.length === 2)).toEqual([1, 2])
  })
})
