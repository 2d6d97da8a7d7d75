// The copy of a store at rest: refused in words, and never of a store that somebody has changed.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StillStore } from '../../test/still-store.ts'
import { Refused, refusedBySystem } from './refused.ts'
import { copyStore } from './store-copy.ts'

/** As the lock stands after a broker has started and stopped. */
function startAndStop(directory: string): void {
  mkdirSync(join(directory, 'lock'), { recursive: true })
  writeFileSync(join(directory, 'lock', '77'), '{}\n')
}

describe('a copy of a store', () => {
  it.each<[string, (store: string) => void]>([
    ['left every file in place', () => {}],
    ['took away what was about to be copied', (store) => rmSync(join(store, 'CURRENT'))],
  ])('is refused if a broker started and stopped meanwhile that %s', async (_, change) => {
    const store = await StillStore.make()
    const onMade = (): void => {
      startAndStop(store.path)
      change(join(store.path, 'store'))
    }

    const copying = copyStore(store.path, { onMade })

    await expect(copying).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining('was started') as string,
    })
    expect(await readdir(dirname(store.path))).toEqual(['data'])
  })

  it('is refused with advice where none can be made', async () => {
    const store = await StillStore.make()
    const workDirectory = join(dirname(store.path), 'file')
    await writeFile(workDirectory, '')

    const copying = copyStore(store.path, { workDirectory })

    await expect(copying).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('--work-dir') as string,
    })
  })
})

describe('what the system refuses', () => {
  it('is said with what to do about it', () => {
    const error = Object.assign(new Error("EACCES: permission denied, mkdtemp '/x'"), {
      code: 'EACCES',
    })

    const refused = refusedBySystem(error)

    expect(refused).toBeInstanceOf(Refused)
    expect(refused.message).toContain("permission denied, mkdtemp '/x'. Run this as the user")
  })

  it('is also what LevelDB was refused', () => {
    const cause = Object.assign(new Error('IO error: No space'), { code: 'LEVEL_IO_ERROR' })
    const error = Object.assign(new Error('not open', { cause }), {
      code: 'LEVEL_DATABASE_NOT_OPEN',
    })

    expect(refusedBySystem(error)).toMatchObject({ code: 'system' })
  })

  it('is told from a bug', () => {
    const bug = new TypeError('x is not a function')

    expect(() => refusedBySystem(bug)).toThrow(bug)
  })
})
