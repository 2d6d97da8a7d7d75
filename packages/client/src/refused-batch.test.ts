// Laws of refusals that many items share.

import { TqError } from '@tq/core'
import { describe, expect, it } from 'vitest'
import { judgeRefusal } from './refused-batch.ts'

describe('judgeRefusal', () => {
  const items = ['a', 'b', 'c']

  it('blames the item that is named, and has the others sent again', () => {
    const error = new TqError('BAD_REQUEST', 'tasks[1] is wrong', { index: 1 })

    expect(judgeRefusal(error, items)).toEqual({ refused: ['b'], again: [['a', 'c']] })
  })

  it('looks for bad bytes in both halves', () => {
    const error = new TqError('TOO_LARGE', 'a string is too long', { offset: 9 })

    expect(judgeRefusal(error, items)).toEqual({ refused: [], again: [['a', 'b'], ['c']] })
  })

  it.each([
    new TqError('NO_SPACE', 'full'),
    new TqError('BAD_REQUEST', 'queue is wrong', { field: 'queue' }),
    new TqError('BAD_REQUEST', 'an index of nothing', { index: 9, field: 'tasks' }),
    new Error('something else'),
  ])('blames all for %s', (error) => {
    expect(judgeRefusal(error, items)).toEqual({ refused: items, again: [] })
  })

  it('blames a single item whatever the refusal says', () => {
    expect(judgeRefusal(new TqError('BAD_REQUEST', 'no'), ['a']).refused).toEqual(['a'])
  })
})
