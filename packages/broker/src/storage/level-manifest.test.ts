// The manifests that LevelDB writes, read without it.

import { describe, expect, it } from 'vitest'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LevelDirectory } from '../../test/level-directory.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { liveTables } from './level-manifest.ts'

async function aRunDirectory(): Promise<LevelDirectory> {
  const directory = new LevelDirectory(await temporaryDirectory())
  for (const lsn of [20, 40, 41]) await directory.runUpTo(lsn)
  return directory
}

describe('liveTables', () => {
  it('names each table file that is there, with its size, the newest first', async () => {
    const directory = await aRunDirectory()
    const paths = await directory.filesOfLevel('.ldb')
    const expected = await Promise.all(
      paths.map(async (path) => ({
        number: Number(/(\d+)\.ldb$/.exec(path)?.[1]),
        bytes: (await stat(path)).size,
      })),
    )

    const tables = await liveTables(join(directory.path, 'store'))

    expect(tables).toEqual(expected.toReversed())
    expect(expected.length).toBeGreaterThan(1)
  })

  it('forgets tables that a compaction has merged into others', async () => {
    const directory = await aRunDirectory()
    const before = await liveTables(join(directory.path, 'store'))
    await directory.withLevel((level) => level.compactRange(Uint8Array.of(0), Uint8Array.of(0xff)))

    const after = await liveTables(join(directory.path, 'store'))

    expect(after?.length).toBeLessThan((before?.length ?? 0) + 1)
    const gone = new Set(after?.map(({ number }) => number))
    expect(before?.some(({ number }) => gone.has(number))).toBe(false)
  })

  it.each([
    ['CURRENT names no manifest', 'CURRENT', 'nonsense\n'],
    ['CURRENT names one that is not there', 'CURRENT', 'MANIFEST-999999\n'],
  ])('says nothing where %s', async (_, file, content) => {
    const directory = await aRunDirectory()
    await writeFile(join(directory.path, 'store', file), content)

    expect(await liveTables(join(directory.path, 'store'))).toBeUndefined()
  })
})
