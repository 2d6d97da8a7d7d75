// How the program stops at a bug of its own.

import { describe, expect, it } from 'vitest'
import { invariant, InvariantError, unreachable } from './invariant.ts'

describe('invariant', () => {
  it('passes what holds and throws the law that does not', () => {
    expect(() => invariant(true, 'one is one')).not.toThrow()
    expect(() => invariant(false, 'one is two')).toThrow(new InvariantError('one is two'))
  })

  it('shows the case that nobody thought of', () => {
    expect(() => unreachable({ kind: 'new' } as never)).toThrow('unreachable: {"kind":"new"}')
  })
})
