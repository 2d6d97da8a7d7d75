// A directory that is to be filled: marked before anything else, and left as it was if nothing is.

import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { readUnfinished } from '../storage/identity.ts'
import { NewDirectory } from './new-directory.ts'

const UNFINISHED = { state: 'restoring', from: '/backups/monday' } as const

describe('a new directory', () => {
  it('is made with its mark, and nothing is left beside it', async () => {
    const root = await temporaryDirectory()
    const path = join(root, 'a', 'b', 'data')

    await NewDirectory.mark(path, UNFINISHED)

    expect(await readUnfinished(path)).toEqual(UNFINISHED)
    expect(await readdir(join(root, 'a', 'b'))).toEqual(['data'])
    expect((await stat(path)).mode & 0o777).toBe(0o700)
  })

  it('is gone again, with those around it, if it is unmarked', async () => {
    const root = await temporaryDirectory()
    const directory = await NewDirectory.mark(join(root, 'a', 'b', 'data'), UNFINISHED)

    await directory.unmark()

    expect(await readdir(root)).toEqual([])
  })

  it('stays the one that was there, empty again if it is unmarked', async () => {
    const root = await temporaryDirectory()
    const path = join(root, 'data')
    await mkdir(path, { mode: 0o750 })
    const { ino } = await stat(path)

    const directory = await NewDirectory.mark(path, UNFINISHED)
    expect(await readdir(path)).toEqual(['identity'])
    await directory.unmark()

    expect(await readdir(path)).toEqual([])
    expect(await stat(path)).toMatchObject({ ino })
    expect(await readdir(root)).toEqual(['data'])
  })

  it('stays marked if something was written', async () => {
    const path = join(await temporaryDirectory(), 'data')
    const directory = await NewDirectory.mark(path, UNFINISHED)
    await writeFile(join(path, 'high-water'), '')

    await directory.unmark()

    expect(await readUnfinished(path)).toEqual(UNFINISHED)
  })

  it.skipIf(!existsSync('/dev/shm'))('may be on another disk than its parent', async () => {
    const root = await temporaryDirectory()
    const elsewhere = await mkdtemp('/dev/shm/tq-test-')
    onTestFinished(() => rm(elsewhere, { recursive: true, force: true }))
    await symlink(elsewhere, join(root, 'data'))

    await NewDirectory.mark(join(root, 'data'), UNFINISHED)

    expect(await readdir(elsewhere)).toEqual(['identity'])
    expect(await readUnfinished(elsewhere)).toEqual(UNFINISHED)
    expect(await readdir(root)).toEqual(['data'])
  })

  it('is refused where one is marked or anything stands, which stays as it is', async () => {
    const path = join(await temporaryDirectory(), 'data')
    await NewDirectory.mark(path, UNFINISHED)
    const before = await readFile(join(path, 'identity'))

    const again = NewDirectory.mark(path, { ...UNFINISHED, from: '/backups/tuesday' })

    await expect(again).rejects.toMatchObject({
      code: 'occupied',
      message: expect.stringContaining('the restore of /backups/monday') as string,
    })
    expect(await readFile(join(path, 'identity'))).toEqual(before)
  })
})
