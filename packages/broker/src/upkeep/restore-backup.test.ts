// Backups and restores: the same records at the same commit, or a refusal before anything is made.

import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StillStore } from '../../test/still-store.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { BackupWriter } from '../storage/backup-format.ts'
import { HEAD_KEY } from '../storage/head-record.ts'
import { writeRestoring } from '../storage/identity.ts'
import { FAMILIES, type Family } from '../storage/key.ts'
import { LevelStore } from '../storage/level-store.ts'
import { backUpStore } from './offline-backup.ts'
import { restoreBackup } from './restore-backup.ts'
import { verifyBackup } from './verify-backup.ts'

async function aBackup(): Promise<{ readonly store: StillStore; readonly file: string }> {
  const store = await StillStore.make()
  const file = join(await temporaryDirectory(), 'backup')
  await backUpStore({ directory: store.path, file }, {}, () => {})
  return { store, file }
}

function restore(file: string, target: string, epochMin = 0): ReturnType<typeof restoreBackup> {
  return restoreBackup({ file, target, epochMin }, () => {})
}

async function everything(store: StillStore): Promise<readonly string[]> {
  const lines: string[] = []
  for (const family of Object.keys(FAMILIES) as Family[]) {
    for (const [key, value] of await store.entries(family)) {
      if (Buffer.compare(key, HEAD_KEY) === 0) continue
      lines.push(`${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`)
    }
  }
  return lines
}

async function open(directory: string): Promise<unknown> {
  const store = new LevelStore({ directory, onFailure: () => {} })
  try {
    return await store.open()
  } finally {
    await store.close()
  }
}

describe('a restored store', () => {
  it('has every record of the backup, byte for byte, and tokens of its own', async () => {
    const { store, file } = await aBackup()
    const target = join(await temporaryDirectory(), 'data')

    const report = await restore(file, target)

    expect(report).toMatchObject({ lsn: 13, epoch: 1_002, storeId: '5a'.repeat(16) })
    expect(await everything(new StillStore(target))).toEqual(await everything(store))
    expect(await open(target)).toEqual({ ownership: { epoch: 1_003 }, lsn: 13, created: false })
    const origin: unknown = JSON.parse(await readFile(join(target, 'origin'), 'utf8'))
    expect(origin).toMatchObject({ kind: 'restored', from: file, lsn: 13, epoch: 1_002 })
  })

  it('begins above an epoch that an earlier restore has used', async () => {
    const { file } = await aBackup()

    const report = await restore(file, join(await temporaryDirectory(), 'data'), 5_000)

    expect(report.epoch).toBe(5_000)
  })

  it('is not started before it is whole', async () => {
    const directory = await temporaryDirectory()
    await writeRestoring(directory, new Uint8Array(16).fill(7))

    await expect(open(directory)).rejects.toMatchObject({
      code: 'MISSING',
      message: expect.stringContaining('cut off') as string,
    })
  })

  it('is refused where something is', async () => {
    const { store, file } = await aBackup()

    await expect(restore(file, store.path)).rejects.toMatchObject({ code: 'occupied' })
  })

  it('is refused from what is not there', async () => {
    const target = join(await temporaryDirectory(), 'data')

    await expect(restore('/no/such/file', target)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('a damaged backup', () => {
  it('is refused whichever byte is wrong, before anything is made', async () => {
    const { file } = await aBackup()
    const whole = await readFile(file)
    const root = await temporaryDirectory()
    const damaged = join(root, 'damaged')
    // All of what frames the first part and the last, and now and then one between.
    for (let at = 0; at < whole.length; at += at < 40 || at > whole.length - 20 ? 1 : 997) {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      await writeFile(damaged, bytes)
      await expect(restore(damaged, join(root, 'data')), `byte ${at}`).rejects.toMatchObject({
        code: 'bad-backup',
      })
    }
    expect(await readdir(root)).toEqual(['damaged'])
  })

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -1), 'cut short'],
    [
      'followed by more',
      (bytes: Buffer) => Buffer.concat([bytes, bytes.subarray(0, 1)]),
      'follows',
    ],
    ['empty', () => Buffer.alloc(0), 'cut short'],
  ])('is refused if it is %s', async (_, change, says) => {
    const { file } = await aBackup()
    const copy = `${file}.copy`
    await copyFile(file, copy)
    await writeFile(copy, change(await readFile(file)))

    await expect(verifyBackup(copy)).rejects.toThrow(says)
    await rm(copy)
  })

  it('is refused without one of its parts', async () => {
    const file = join(await temporaryDirectory(), 'backup')
    const writer = new BackupWriter()
    const header = writer.header({
      backupVersion: 1,
      formatVersion: 1,
      storeId: '1'.repeat(32),
      version: '0.1.0',
      atMs: 0,
    })
    const chunk = writer.chunk([[Uint8Array.of(1, 2), Uint8Array.of(3)]])
    const footer = writer.footer({ epoch: 1, lsn: 1 })

    await writeFile(file, Buffer.concat([header, footer]))
    await expect(verifyBackup(file)).rejects.toThrow('part 2 stands where part 1 belongs')
    await writeFile(file, Buffer.concat([header, chunk, footer]))
    await expect(verifyBackup(file)).resolves.toMatchObject({ footer: { entries: { task: 1 } } })
  })

  it('is refused if a later version made it', async () => {
    const file = join(await temporaryDirectory(), 'backup')
    const storeId = '1'.repeat(32)
    const about = { backupVersion: 2, formatVersion: 1, storeId, version: '9.0.0', atMs: 0 }
    await writeFile(file, new BackupWriter().header(about))

    await expect(verifyBackup(file)).rejects.toThrow('made by tq 9.0.0')
  })

  it('is not made of a store that cannot be read', async () => {
    const store = await StillStore.make()
    const file = join(await temporaryDirectory(), 'backup')
    await store.flip(await store.entry('queue'))

    const backingUp = backUpStore({ directory: store.path, file }, {}, () => {})

    await expect(backingUp).rejects.toMatchObject({ code: 'unsound' })
  })
})
