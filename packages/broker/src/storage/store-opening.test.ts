// Why a data directory is not opened, what is said then, and what a person can do about it.
import {
  cp,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { basename, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { LevelDirectory } from '../../test/level-directory.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { checksum } from './crc.ts'
import { checkLogs, currentStore, keepLogs } from './dropped-log.ts'
import { encodeHead, HEAD_KEY } from './head-record.ts'
import { lockHolder } from './directory-lock.ts'
import { markUnfinished, newIdentity, readIdentity, writeIdentity } from './identity.ts'
import { LevelStore } from './level-store.ts'
import { EPOCH_SKIP } from './store-verification.ts'

let data: LevelDirectory

beforeEach(async () => {
  data = new LevelDirectory(await temporaryDirectory())
})

describe('LevelStore refuses to open', () => {
  it.skipIf(process.platform !== 'linux')(
    'a directory where none can be made, instead of trying for ever',
    async () => {
      const refusal = await new LevelDirectory('/proc/tq/data').refusal()

      expect(refusal.code).toBe('IO')
      expect(refusal.message).toContain('/proc/tq/data cannot be made: the system answers ENOENT')
    },
  )

  it('what another store has open', async () => {
    await data.makeStore().open()

    expect(await data.refusal()).toMatchObject({ code: 'LOCKED' })
  })

  it('what LevelDB says is open, though the lock is free', async () => {
    await data.makeStore().open()
    await rm(join(data.path, 'lock'), { recursive: true })

    const { code, message } = await data.refusal()

    expect(code).toBe('LOCKED')
    expect(message).toContain('cannot be seen from here')
  })

  it('a directory of a newer format', async () => {
    await data.runUpTo(1)
    const path = join(data.path, 'identity')
    const identity = await readFile(path, 'utf8')
    await writeFile(path, identity.replace('"formatVersion":1', '"formatVersion":9'))

    const { code, message } = await data.refusal()

    expect(code).toBe('NEWER_FORMAT')
    expect(message).toContain('has format 9; this broker knows formats up to 1')
  })

  it('a head record of a newer format', async () => {
    await data.runUpTo(1)
    const identity = await readIdentity(data.path)
    const head = encodeHead(HEAD_KEY, {
      storeId: identity?.storeId as Uint8Array,
      epoch: 1,
      lsn: 1,
    })
    new DataView(head.buffer).setUint32(0, 2)
    new DataView(head.buffer).setUint32(36, checksum(HEAD_KEY, head, 0, 36))
    await data.withLevel((level) => level.put(HEAD_KEY, head))

    expect(await data.refusal()).toMatchObject({ code: 'NEWER_FORMAT' })
  })

  it('a store that ends before its high-water mark', async () => {
    await data.runUpTo(3)
    await cp(join(data.path, 'store'), join(data.path, 'earlier'), { recursive: true })
    await data.runUpTo(8)
    await rm(join(data.path, 'store'), { recursive: true })
    await rename(join(data.path, 'earlier'), join(data.path, 'store'))

    const { code, message } = await data.refusal()

    expect(code).toBe('GAP')
    expect(message).toContain('ends at commit 3 (epoch 1), but had come to commit 8 (epoch 2)')
  })

  it('a store whose last commit is cut off its log', async () => {
    await data.runUpTo(5)
    const [log = ''] = await data.filesOfLevel('.log')
    await truncate(log, (await stat(log)).size - 1)

    const { code, message } = await data.refusal()

    expect(code).toBe('GAP')
    expect(message).toContain('ends at commit 4 (epoch 1), but had come to commit 5 (epoch 1)')
  })

  it('such a store until the mark is deleted, and then repeats no epoch', async () => {
    await data.runUpTo(3)
    await rm(join(data.path, 'high-water'))

    const opened = await data.runUpTo(4)

    expect(opened.ownership.epoch).toBe(1 + EPOCH_SKIP)
    expect(opened.lsn).toBe(3)
  })

  it('a directory whose store is missing, and makes nothing in its place', async () => {
    await data.runUpTo(1)
    await rm(join(data.path, 'store'), { recursive: true })

    const { code, message } = await data.refusal()

    expect(code).toBe('MISSING')
    expect(message).toContain('"tq-admin store restore FILE --to NEWDIR"')
    await expect(readdir(join(data.path, 'store'))).rejects.toThrow('ENOENT')
  })

  it('a store without CURRENT, by that name, and makes nothing in its place', async () => {
    await data.runUpTo(1)
    await rm(join(data.path, 'store', 'CURRENT'))
    const before = await readdir(join(data.path, 'store'))

    const { code, message } = await data.refusal()

    expect(code).toBe('CORRUPT')
    expect(message).toContain(`${join(data.path, 'store', 'CURRENT')} is missing`)
    expect(await readdir(join(data.path, 'store'))).toEqual(before)
  })

  it('a store whose CURRENT names nothing', async () => {
    await data.runUpTo(1)
    await writeFile(join(data.path, 'store', 'CURRENT'), 'rubbish\n')

    const { code, message } = await data.refusal()

    expect(code).toBe('CORRUPT')
    expect(message).toContain('CURRENT is damaged')
  })

  it.each([
    [
      'restoring',
      '/backups/mon day',
      'the restore of /backups/mon day',
      "tq-admin store restore '/backups/mon day' --to",
    ],
    [
      'salvaging',
      '/var/lib/tq',
      'the salvage of /var/lib/tq',
      'tq-admin store salvage /var/lib/tq --to',
    ],
  ] as const)(
    'what is still %s, and says by which command it is done again',
    async (state, from, what, command) => {
      await markUnfinished(data.path, { state, from })

      const { code, message } = await data.refusal()

      expect(code).toBe('MISSING')
      expect(message).toContain(what)
      expect(message).toContain(`"rm -r ${data.path}"`)
      expect(message).toContain(`"${command} ${data.path}"`)
    },
  )

  it('in a way that is told before the directory is free again', async () => {
    await data.runUpTo(1)
    await rm(join(data.path, 'store', 'CURRENT'))
    let holder: unknown
    const onRefused = async (): Promise<void> => {
      holder = await lockHolder(data.path)
    }
    const store = new LevelStore({ directory: data.path, onFailure: () => {}, onRefused })

    await expect(store.open()).rejects.toMatchObject({ code: 'CORRUPT' })

    expect(holder).toMatchObject({ kind: 'running' })
    expect(await lockHolder(data.path)).toBeUndefined()
  })

  it('a store whose identity is missing', async () => {
    await data.runUpTo(1)
    await rm(join(data.path, 'identity'))

    expect(await data.refusal()).toMatchObject({ code: 'CORRUPT' })
  })

  it.each([
    '',
    'null',
    '{"formatVersion":1}',
    '{"formatVersion":1,"storeId":"00","state":"ready"}',
  ])('an identity that reads %j', async (text) => {
    await data.runUpTo(1)
    await writeFile(join(data.path, 'identity'), text)

    expect(await data.refusal()).toMatchObject({ code: 'CORRUPT' })
  })

  it('the store of another identity', async () => {
    await data.runUpTo(1)
    const other = newIdentity({ chance: () => 0, fill: (bytes) => void bytes.fill(7) })
    await writeIdentity(data.path, { ...other, state: 'ready' })

    const { code, message } = await data.refusal()

    expect(code).toBe('CORRUPT')
    expect(message).toContain('is not the one that the file identity names')
  })

  it('the high-water mark of another store', async () => {
    await data.runUpTo(1)
    const other = new LevelDirectory(await temporaryDirectory())
    await other.runUpTo(1)
    await cp(join(other.path, 'high-water'), join(data.path, 'high-water'))

    const { code, message } = await data.refusal()

    expect(code).toBe('CORRUPT')
    expect(message).toContain('belongs to another store')
  })

  it('a high-water mark that cannot be read', async () => {
    await data.runUpTo(1)
    await writeFile(join(data.path, 'high-water'), new Uint8Array(8_192))

    const { code, message } = await data.refusal()

    expect(code).toBe('CORRUPT')
    expect(message).toContain('holds no readable mark')
  })

  it.each([
    ['a flipped bit', (head: Uint8Array) => head.with(30, (head[30] ?? 0) ^ 4)],
    ['too few bytes', (head: Uint8Array) => head.slice(0, 5)],
  ])('a head record with %s', async (_, damage) => {
    await data.runUpTo(1)
    await data.withLevel(async (level) => {
      await level.put(HEAD_KEY, damage((await level.get(HEAD_KEY)) as Uint8Array))
    })

    const { code, message } = await data.refusal()

    expect(code).toBe('CORRUPT')
    expect(message).toContain('has a damaged head record')
  })

  it('a store without its head record', async () => {
    await data.runUpTo(1)
    await data.withLevel((level) => level.del(HEAD_KEY))

    const { code, message } = await data.refusal()

    expect(code).toBe('CORRUPT')
    expect(message).toContain('has lost its head record')
  })

  it('a store of which LevelDB misses a table', async () => {
    await data.runUpTo(10)
    await data.runUpTo(20)
    for (const table of await data.filesOfLevel('.ldb')) await rm(table)

    const { code, message } = await data.refusal()

    expect(code).toBe('CORRUPT')
    expect(message).toContain('missing files')
  })

  it('a store of which LevelDB misses its manifest', async () => {
    await data.runUpTo(1)
    for (const name of await readdir(join(data.path, 'store'))) {
      if (name.startsWith('MANIFEST')) await rm(join(data.path, 'store', name))
    }

    const { code, message } = await data.refusal()

    expect(code).toBe('CORRUPT')
    expect(message).toMatch(/MANIFEST-\d+ is missing/)
  })

  it('what is not a directory', async () => {
    await writeFile(join(data.path, 'file'), '')
    data = new LevelDirectory(join(data.path, 'file'))

    const { code, message } = await data.refusal()

    expect(code).toBe('IO')
    expect(message).toContain(data.path)
  })

  it('a store whose CURRENT cannot be looked for', async () => {
    await data.runUpTo(1)
    await rm(join(data.path, 'store'), { recursive: true })
    await writeFile(join(data.path, 'store'), '')

    expect(await data.refusal()).toMatchObject({ code: 'IO' })
  })
})

describe('LevelStore on a damaged log', () => {
  beforeEach(async () => {
    await data.runUpTo(20)
    const [log = ''] = await data.filesOfLevel('.log')
    await flipBit(log, 300)
  })

  it('refuses, again and again, and keeps the log as it was', async () => {
    const [log = ''] = await data.filesOfLevel('.log')
    const bytes = await readFile(log)

    const first = await data.refusal()
    const second = await data.refusal()

    expect(first).toMatchObject({ code: 'CORRUPT' })
    expect(first.message).toMatch(/dropping \d+ bytes; Corruption: checksum mismatch/)
    expect(second.message).toBe(first.message)
    const kept = await readdir(join(data.path, 'damaged'))
    expect(kept).toEqual(['LOG', log.slice(log.lastIndexOf('/') + 1)].toSorted())
    const [name = ''] = kept
    expect(await readFile(join(data.path, 'damaged', name))).toEqual(bytes)
  })

  it('advises nothing that leads to another refusal', async () => {
    const { message } = await data.refusal()

    expect(message).not.toContain('delete')
    expect(message).not.toContain('high-water')
  })

  it('opens with what is left once a person has accepted the loss', async () => {
    await data.refusal()
    await rm(join(data.path, 'damaged'), { recursive: true })
    expect(await data.refusal()).toMatchObject({ code: 'GAP' })
    await rm(join(data.path, 'high-water'))

    const opened = await data.makeStore().open()

    expect(opened.ownership.epoch).toBeGreaterThan(EPOCH_SKIP)
  })

  it('refuses also after an open that ended before it could', async () => {
    await data.withLevel(async () => {})

    expect(await data.refusal()).toMatchObject({ code: 'CORRUPT' })
    expect(await data.refusal()).toMatchObject({ code: 'CORRUPT' })
    expect(await readdir(join(data.path, 'damaged'))).toEqual(['LOG'])
  })

  it('finishes a refusal that was cut short', async () => {
    const [log = ''] = await data.filesOfLevel('.log')
    await keepLogs(data.path)
    await data.withLevel(async () => {})
    await mkdir(join(data.path, 'damaged'))

    expect(await data.refusal()).toMatchObject({ code: 'CORRUPT' })

    const kept = await readdir(join(data.path, 'damaged'))
    expect(kept).toEqual(['LOG', basename(log)].toSorted())
    expect(await leftovers()).toEqual([])
  })
})

describe('LevelStore whose log the system does not read', () => {
  let log: string

  /** A link to itself is what nobody can open. */
  beforeEach(async () => {
    await data.runUpTo(20)
    log = (await data.filesOfLevel('.log'))[0] ?? ''
    await rename(log, join(data.path, 'whole'))
    await symlink(log, log)
  })

  async function readableIn(folder: string): Promise<void> {
    const path = join(data.path, folder, basename(log))
    await rm(path)
    await rename(join(data.path, 'whole'), path)
  }

  it('refuses while that lasts, and has everything as soon as it is over', async () => {
    const first = await data.refusal()
    expect(first).toMatchObject({ code: 'IO' })
    expect(first.message).toMatch(/failed to read a log .* IO error: .*start again/)
    expect(await data.refusal()).toMatchObject({ code: 'IO' })
    expect(await leftovers()).toEqual([])

    await readableIn('store')

    expect(await data.makeStore().open()).toMatchObject({ lsn: 20, ownership: { epoch: 2 } })
  })

  it.each([
    ['LevelDB had opened', 'opening', []],
    ['it was to be undone', 'undoing', [['opening', 'undoing']]],
    [
      'the store was on its way out',
      'undoing',
      [
        ['opening', 'undoing'],
        ['store', 'leaving'],
      ],
    ],
    [
      'all but the cleaning was done',
      'store',
      [
        ['opening', 'undoing'],
        ['store', 'leaving'],
        ['undoing', 'store'],
      ],
    ],
  ])('has everything if the start was cut off when %s', async (_, folder, renames) => {
    await keepLogs(data.path)
    await data.withLevel(async () => {})
    for (const [from = '', to = ''] of renames) {
      await rename(join(data.path, from), join(data.path, to))
    }
    await readableIn(folder)
    expect(await currentStore(data.path)).toBe(join(data.path, folder))

    expect(await data.makeStore().open()).toMatchObject({ lsn: 20 })
    expect(await leftovers()).toEqual([])
  })
})

describe('LevelStore whose opening was cut short', () => {
  beforeEach(async () => void (await data.runUpTo(20)))

  it('goes on with what LevelDB has made, if it had read everything', async () => {
    await keepLogs(data.path)
    await data.withLevel(async () => {})

    expect(await data.makeStore().open()).toMatchObject({ lsn: 20 })
    expect(await leftovers()).toEqual([])
  })

  it.each(['opening.new', 'leaving'])('drops what is left in %s', async (name) => {
    await mkdir(join(data.path, name))
    await writeFile(join(data.path, name, '000003.log'), '')

    expect(await data.makeStore().open()).toMatchObject({ lsn: 20 })
    expect(await leftovers()).toEqual([])
  })

  it('is refused if another process has undone it meanwhile', async () => {
    await keepLogs(data.path)
    await rm(join(data.path, 'opening'), { recursive: true })

    await expect(checkLogs(data.path)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

/** What only a start has beside the store. */
async function leftovers(): Promise<string[]> {
  const names = await readdir(data.path)
  return names.filter((name) => ['opening', 'opening.new', 'undoing', 'leaving'].includes(name))
}

describe('LevelStore whose making was cut short', () => {
  it('is made by the next open, if LevelDB had not begun', async () => {
    await mkdir(join(data.path, 'store'))
    await writeIdentity(data.path, newIdentity({ chance: () => 0, fill: () => {} }))

    expect(await data.runUpTo(1)).toMatchObject({ created: true, lsn: 0 })
    expect(await data.runUpTo(1)).toMatchObject({ created: false, lsn: 1 })
  })

  it('is made by the next open, if only its identity was not marked ready', async () => {
    await data.runUpTo(0)
    const identity = await readIdentity(data.path)
    await writeIdentity(data.path, { storeId: identity?.storeId as Uint8Array, state: 'creating' })

    expect(await data.runUpTo(1)).toMatchObject({ created: true, ownership: { epoch: 2 } })
  })
})

async function flipBit(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+')
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, at)
  await file.close()
}
