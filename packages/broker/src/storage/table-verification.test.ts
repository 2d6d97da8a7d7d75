// Tables that LevelDB has written, whole and damaged: each byte of them counts.

import { describe, expect, it } from 'vitest'
import { appendFile, cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LevelDirectory } from '../../test/level-directory.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import type { StoreError } from './port.ts'
import { verifyTables } from './table-verification.ts'

/** The padding of the footer: LevelDB writes zeros there and reads nothing. */
const PADDING_BYTES = 40

async function aDirectoryWithTables(): Promise<LevelDirectory> {
  const directory = new LevelDirectory(await temporaryDirectory())
  await directory.runUpTo(60)
  // Each start makes a table of the log that was left.
  await directory.runUpTo(90)
  await directory.runUpTo(91)
  return directory
}

async function refusalOf(directory: LevelDirectory): Promise<StoreError | undefined> {
  return verifyTables(directory.path).then(
    () => undefined,
    (error: StoreError) => error,
  )
}

/** What LevelDB reads of its tables; the directory is not changed. */
async function entriesOf(directory: LevelDirectory): Promise<unknown> {
  const copy = new LevelDirectory(await temporaryDirectory())
  await cp(directory.path, copy.path, { recursive: true })
  let entries: unknown
  await copy.withLevel(async (level) => {
    entries = await level.iterator().all()
  })
  return entries
}

describe('the verification of tables', () => {
  it('passes what LevelDB has written', async () => {
    const directory = await aDirectoryWithTables()

    expect((await directory.filesOfLevel('.ldb')).length).toBeGreaterThan(1)
    expect(await refusalOf(directory)).toBeUndefined()
  })

  it('refuses a flipped bit in any part of a table, naming the file (T12)', async () => {
    const directory = await aDirectoryWithTables()
    const [path = ''] = await directory.filesOfLevel('.ldb')
    const whole = await readFile(path)
    const missed: number[] = []
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] as number) ^ 0x10
      await writeFile(path, damaged)
      const refusal = await refusalOf(directory)
      const isNamed = refusal?.code === 'CORRUPT' && refusal.message.includes(path)
      if (!isNamed) missed.push(at)
    }

    expect(missed.filter((at) => at < whole.length - 8 - PADDING_BYTES)).toEqual([])
  })

  it('refuses a table that is too short', async () => {
    const directory = await aDirectoryWithTables()
    const [path = ''] = await directory.filesOfLevel('.ldb')
    await truncate(path, 100)

    expect((await refusalOf(directory))?.message).toContain('it has 100 bytes instead of')

    await truncate(path, 0)
    expect((await refusalOf(directory))?.code).toBe('CORRUPT')
  })

  it('passes a table with its last bytes twice, of which LevelDB reads the first (T5)', async () => {
    const directory = await aDirectoryWithTables()
    const before = await entriesOf(directory)
    for (const path of await directory.filesOfLevel('.ldb')) {
      await appendFile(path, (await readFile(path)).subarray(-2_000))
    }

    expect(await refusalOf(directory)).toBeUndefined()
    expect(await entriesOf(directory)).toEqual(before)
  })

  it('looks at no table that the manifest does not name', async () => {
    const directory = await aDirectoryWithTables()
    const [path = ''] = await directory.filesOfLevel('.ldb')
    await writeFile(path.replace(/\d{6}\.ldb$/, '000999.ldb'), 'half a table, left by a crash')

    expect(await refusalOf(directory)).toBeUndefined()
  })

  it('leaves it to LevelDB to say that its manifest cannot be read', async () => {
    const directory = await aDirectoryWithTables()
    const [table = ''] = await directory.filesOfLevel('.ldb')
    await truncate(table, 100)
    const [manifest = ''] = await directory
      .filesOfLevel('')
      .then((paths) => paths.filter((path) => path.includes('MANIFEST')))
    await writeFile(manifest, new Uint8Array(100).fill(0x41))

    expect(await refusalOf(directory)).toBeUndefined()
    expect((await directory.refusal()).code).toBe('CORRUPT')
  })

  it('does not pass over what the system fails to read (T5)', async () => {
    const directory = await aDirectoryWithTables()
    const current = join(directory.path, 'store', 'CURRENT')
    await rm(current)
    await mkdir(current) // reading a directory fails, whoever reads

    expect(await refusalOf(directory)).toMatchObject({ code: 'EISDIR' })
  })

  it('leaves it to LevelDB to name a table that is missing', async () => {
    const directory = await aDirectoryWithTables()
    const [path = ''] = await directory.filesOfLevel('.ldb')
    await rm(path)

    expect(await refusalOf(directory)).toBeUndefined()
    expect((await directory.refusal()).message).toContain('1 missing files')
  })

  it('has nothing to say of a directory without a database', async () => {
    expect(await refusalOf(new LevelDirectory(await temporaryDirectory()))).toBeUndefined()
  })
})
