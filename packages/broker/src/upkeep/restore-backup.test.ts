// Backups and restores: the same records at the same commit, or a refusal before anything is made.

import { cpSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StillStore } from '../../test/still-store.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import {
  BACKUP_MAGIC,
  type BackupHeader,
  BackupWriter,
  PART_HEADER_BYTES,
  partChecksum,
} from '../storage/backup-format.ts'
import { HEAD_KEY } from '../storage/head-record.ts'
import { markUnfinished } from '../storage/identity.ts'
import { FAMILIES, type Family, journalKey, taskKey } from '../storage/key.ts'
import { LevelStore } from '../storage/level-store.ts'
import type { Entry } from '../storage/port.ts'
import { seal } from '../storage/sealed.ts'
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

function flipped(value: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(value)
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1
  return copy
}

function aJournalEntry(lsn: number): Entry {
  const key = journalKey(lsn)
  const value = new Uint8Array(9)
  seal(key, value, 1)
  return [key, value]
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

/** A record that is sealed, whatever it says. */
function anEntry(family: 'task' | 'payload', number: number): Entry {
  const key = taskKey(family, new Uint8Array(16).fill(number))
  const value = new Uint8Array(9)
  seal(key, value, 1)
  return [key, value]
}

const HEADER: BackupHeader = {
  backupVersion: 1,
  formatVersion: 1,
  storeId: '1'.repeat(32),
  version: '0.1.0',
  atMs: 0,
}

/** A file whose checksums and counts all fit, whatever is in it. */
async function forged({
  header = {},
  footer = {},
  entries = [],
}: {
  readonly header?: object
  readonly footer?: object
  readonly entries?: readonly Entry[]
}): Promise<string> {
  const file = join(await temporaryDirectory(), 'backup')
  const writer = new BackupWriter()
  const parts = [writer.header({ ...HEADER, ...header }), writer.chunk(entries)]
  const end = writer.footer({ epoch: 1, lsn: 1 })
  await writeFile(file, Buffer.concat([...parts, withFields(end, footer)]))
  return file
}

/** The same part with other fields, and a checksum that fits. */
function withFields(part: Uint8Array, fields: object): Uint8Array {
  const head = part.subarray(0, PART_HEADER_BYTES)
  const before = JSON.parse(Buffer.from(part.subarray(PART_HEADER_BYTES)).toString()) as object
  const body = Buffer.from(JSON.stringify({ ...before, ...fields }))
  const changed = Buffer.concat([head, body])
  changed.writeUInt32BE(body.length, 1)
  changed.writeUInt32BE(partChecksum(changed), 9)
  return changed
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
    await markUnfinished(directory, { state: 'restoring', from: '/backups/monday' })

    await expect(open(directory)).rejects.toMatchObject({
      code: 'MISSING',
      message: expect.stringContaining('cut off') as string,
    })
  })

  it('is refused by a broker wherever it was cut off, with the command to repeat', async () => {
    const { file } = await aBackup()
    const root = await temporaryDirectory()
    const target = join(root, 'data')
    const images: string[] = []
    // What a kill would leave at each moment of which the restore tells.
    await restoreBackup({ file, target, epochMin: 0 }, (part) => {
      const image = join(root, `${images.length}-${part}`)
      cpSync(target, image, { recursive: true })
      images.push(image)
    })

    expect(images.length).toBeGreaterThan(1)
    for (const image of images) {
      await expect(open(image), image).rejects.toMatchObject({
        code: 'MISSING',
        message: expect.stringContaining(`tq-admin store restore ${file} --to ${image}`) as string,
      })
    }
  })

  it('leaves an empty directory as it was if the backup is refused', async () => {
    const target = await temporaryDirectory()
    const file = await forged({ footer: { sha256: '0'.repeat(64) } })

    await expect(restore(file, target)).rejects.toMatchObject({ code: 'bad-backup' })

    expect(await readdir(target)).toEqual([])
  })

  it('can be made again where one was cut off, once that is removed, and is told so', async () => {
    const { file } = await aBackup()
    const target = join(await temporaryDirectory(), 'data')
    await mkdir(target)
    await markUnfinished(target, { state: 'restoring', from: file })

    await expect(restore(file, target)).rejects.toMatchObject({
      code: 'occupied',
      message: expect.stringContaining(`"rm -r ${target}"`) as string,
    })
    await rm(target, { recursive: true })

    expect(await restore(file, target)).toMatchObject({ lsn: 13 })
  })

  it('is not made in the data directory of another store', async () => {
    const { store, file } = await aBackup()
    const before = await store.picture()

    const restoring = restore(file, join(store.path, 'store', 'new'))

    await expect(restoring).rejects.toMatchObject({ code: 'usage' })
    expect(await store.picture()).toEqual(before)
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
    const chunk = writer.chunk([anEntry('task', 1)])
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

  it.each(Object.keys(FAMILIES) as Family[])(
    'is not made of a store with a damaged %s record, and not taken for a good one',
    async (family) => {
      const store = await StillStore.make()
      const [key, value] = await store.entry(
        family,
        ([name]) => Buffer.compare(name, HEAD_KEY) !== 0,
      )
      const damaged: Entry = [key, value.length === 0 ? Uint8Array.of(1) : flipped(value)]
      await store.put(...damaged)
      const folder = await temporaryDirectory()
      const file = join(folder, 'backup')

      const backingUp = backUpStore({ directory: store.path, file }, {}, () => {})

      await expect(backingUp).rejects.toMatchObject({ code: 'unsound' })
      expect(await readdir(folder)).toEqual([])
      const carried = await forged({ entries: [damaged] })
      await expect(verifyBackup(carried)).rejects.toMatchObject({
        code: 'bad-backup',
        message: expect.stringContaining(Buffer.from(key).toString('hex')) as string,
      })
    },
  )

  it('is refused by a restore before anything is made', async () => {
    const [key, value] = anEntry('task', 1)
    const file = await forged({ entries: [[key, flipped(value)]] })
    const folder = await temporaryDirectory()

    await expect(restore(file, join(folder, 'data'))).rejects.toMatchObject({ code: 'bad-backup' })
    expect(await readdir(folder)).toEqual([])
  })

  it.each<[string, Parameters<typeof forged>[0]]>([
    ['no store', { header: { storeId: undefined } }],
    ['a store that is no text', { header: { storeId: [['1'.repeat(32)]] } }],
    ['half a version', { header: { backupVersion: 0.5 } }],
    ['a format that is no number', { header: { formatVersion: '1' } }],
    ['a version that is drawn, not read', { header: { version: '\u001b[2J' } }],
    ['a moment that no date has', { header: { atMs: 1e300 } }],
    ['an epoch that is no number', { footer: { epoch: '7' } }],
    ['an epoch below 0', { footer: { epoch: -1 } }],
    ['an epoch above all', { footer: { epoch: 2 ** 52 } }],
    ['a commit that is none', { footer: { lsn: 1.5 } }],
    ['no counts', { footer: { entries: null } }],
    ['counts of a family that is none', { footer: { entries: { constructor: 1 } } }],
    ['a checksum that is none', { footer: { sha256: 7 } }],
    ['a key without a byte', { entries: [[new Uint8Array(0), Uint8Array.of(1)]] }],
    ['a key of no family', { entries: [[Uint8Array.of(0x77, 1), Uint8Array.of(1)]] }],
    ['a key that is too short', { entries: [[Uint8Array.of(1, 2), Uint8Array.of(3)]] }],
    ['a head', { entries: [[HEAD_KEY, new Uint8Array(40)]] }],
    ['a key twice', { entries: [anEntry('task', 1), anEntry('task', 1)] }],
    ['keys out of order', { entries: [anEntry('payload', 1), anEntry('task', 1)] }],
    ['a later commit than it says', { entries: [aJournalEntry(9)] }],
  ])('is refused in words if it names %s', async (_, parts) => {
    const file = await forged(parts)
    const folder = await temporaryDirectory()

    await expect(restore(file, join(folder, 'data'))).rejects.toMatchObject({
      name: 'Refused',
      code: 'bad-backup',
    })
    expect(await readdir(folder)).toEqual([])
  })

  it('is refused if its header is no JSON, or none that an object comes of', async () => {
    for (const text of ['{', '7', 'null', '[]']) {
      const file = join(await temporaryDirectory(), 'backup')
      const header = new BackupWriter().header(HEADER)
      const head = header.subarray(BACKUP_MAGIC.length, BACKUP_MAGIC.length + PART_HEADER_BYTES)
      const part = Buffer.concat([head, Buffer.from(text)])
      part.writeUInt32BE(text.length, 1)
      part.writeUInt32BE(partChecksum(part), 9)
      await writeFile(file, Buffer.concat([BACKUP_MAGIC, part]))

      await expect(verifyBackup(file), text).rejects.toMatchObject({ code: 'bad-backup' })
    }
  })

  it('is not made of a store that cannot be read', async () => {
    const store = await StillStore.make()
    const file = join(await temporaryDirectory(), 'backup')
    await store.flip(await store.entry('queue'))

    const backingUp = backUpStore({ directory: store.path, file }, {}, () => {})

    await expect(backingUp).rejects.toMatchObject({ code: 'unsound' })
  })

  it('is not made of a store whose newest commits cannot be read', async () => {
    const store = await StillStore.make()
    await store.put(...(await store.entry('session')))
    const inside = join(store.path, 'store')
    const log = (await readdir(inside)).filter((name) => name.endsWith('.log')).sort()
    const path = join(inside, log.at(-1) ?? '')
    await writeFile(path, flipped(await readFile(path)))
    const folder = await temporaryDirectory()

    const backingUp = backUpStore(
      { directory: store.path, file: join(folder, 'backup') },
      {},
      () => {},
    )

    await expect(backingUp).rejects.toMatchObject({
      code: 'unsound',
      message: expect.stringContaining('dropping') as string,
    })
    expect(await readdir(folder)).toEqual([])
  })

  it('is not written into the store that it is made of, nor is one that is half made', async () => {
    const store = await StillStore.make()
    const file = join(store.path, 'backup')

    const inside = backUpStore({ directory: store.path, file }, {}, () => {})
    await expect(inside).rejects.toMatchObject({ code: 'usage' })
    const half = await temporaryDirectory()
    await markUnfinished(half, { state: 'restoring', from: file })
    const ofHalf = backUpStore({ directory: half, file: `${half}.backup` }, {}, () => {})
    await expect(ofHalf).rejects.toMatchObject({ code: 'unsound' })
  })

  it('is written into no file and through no link that is there', async () => {
    const store = await StillStore.make()
    const folder = await temporaryDirectory()
    const file = join(folder, 'backup')
    const victim = join(folder, 'victim')
    await writeFile(victim, 'precious')
    await symlink(victim, file)

    const backingUp = backUpStore({ directory: store.path, file }, {}, () => {})

    await expect(backingUp).rejects.toMatchObject({ code: 'occupied' })
    expect(await readFile(victim, 'utf8')).toBe('precious')
    expect((await readdir(folder)).sort()).toEqual(['backup', 'victim'])
  })
})
