// The deliberate bugs still fit the source that they are planted in.

import { describe, expect, it } from 'vitest'
import { plant } from './planted-bug.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { sourceOf } from './workshop.ts'

describe('the planted bugs', () => {
  it('are twenty at least, each under a name of its own', () => {
    const names = new Set(PLANTED_BUGS.map(({ name }) => name))
    expect(names.size).toBe(PLANTED_BUGS.length)
    expect(names.size).toBeGreaterThanOrEqual(20)
  })

  it.each(PLANTED_BUGS)('$name: still fits the source', async ({ edits }) => {
    for (const edit of edits) {
      const source = await sourceOf(edit)
      expect(plant(source, edit)).not.toBe(source)
    }
  })

  it('say which text is not there any more', () => {
    const edit = { file: 'a.ts', find: 'gone', replace: '' }
    expect(() => plant('other text', edit)).toThrow('"gone" stands 0 times in a.ts')
  })
})
