// What LevelDB makes harder than the port tells: failed reads and writes, and sudden death.
import { randomBytes } from 'node:crypto'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { bundleChild, Child } from '../../test/child-process.ts'
import type { Report } from '../../test/children/commit-writer.ts'
import { committedBatch, faultsUpTo } from '../../test/committed-batch.ts'
import { LevelDirectory } from '../../test/level-directory.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { taskKey } from './key.ts'
import type { LevelStore } from './level-store.ts'

const EVERYTHING = { from: Uint8Array.of(0), to: Uint8Array.of(0xff) }
let data: LevelDirectory

beforeEach(async () => {
  data = new LevelDirectory(await temporaryDirectory())
})

describe('LevelStore', () => {
  it('tells each step before it begins', async () => {
    const steps: string[] = []

    await data.makeStore({ onStep: (step) => void steps.push(step) }).open()

    expect(steps).toEqual(['lock', 'open', 'verify'])
  })

  it('keeps its files from other users', async () => {
    data = new LevelDirectory(join(data.path, 'data'))
    await data.makeStore().open()

    const modeOf = async (name: string): Promise<number> =>
      (await stat(join(data.path, name))).mode & 0o777
    expect(await modeOf('.')).toBe(0o700)
    expect(await modeOf('store')).toBe(0o700)
    expect(await modeOf('identity')).toBe(0o600)
    expect(await modeOf('high-water')).toBe(0o600)
  })

  it('never shows its head record, and pages over it', async () => {
    const store = data.makeStore()
    const opened = await store.open()
    const around = [Uint8Array.of(0x00, 0x61), Uint8Array.of(0x00, 0x7a)]
    const batch = { putKeys: around, putValues: around, deleteKeys: [] }
    await store.commit(opened.ownership, 1, 1, batch)

    const pages: number[] = []
    for await (const page of store.load(EVERYTHING, 1)) pages.push(page[0]?.[0][1] ?? 0)

    expect(pages).toEqual([0x61, 0x7a])
  })

  it('tells its size on disk once there are tables', async () => {
    await data.runUpTo(300)
    const store = data.makeStore()
    await store.open()

    expect(await store.sizeBytes()).toBeGreaterThan(1_000)
  })

  it('says why it accepts nothing', async () => {
    const store = data.makeStore()
    expect(store.refusal).toBe('it is not open')
    await store.open()
    expect(store.refusal).toBeUndefined()
    await store.close()
    expect(store.refusal).toBe('it is closed')
  })

  it('gives back the space of what was deleted', async () => {
    const store = await aFilledStore(24)
    const deleteKeys = Array.from({ length: 24 }, (_, n) => payloadKey(n))
    await store.commit({ epoch: 1 }, 25, 1, { putKeys: [], putValues: [], deleteKeys })
    expect(await tableBytes()).toBeGreaterThan(20 * MIB)

    await store.reclaim(async () => true)

    expect(await tableBytes()).toBeLessThan(MIB)
    expect(await store.getMany([payloadKey(0)])).toEqual([undefined])
  })

  it('asks for room piece by piece, and goes on where it was told no', async () => {
    const store = await aFilledStore(40)
    const looksOf = async (yesCount: number): Promise<number> => {
      let looks = 0
      await store.reclaim(async () => (looks += 1) <= yesCount)
      return looks
    }

    expect(await looksOf(1)).toBe(2)

    const piecesLeft = await looksOf(Infinity)
    expect(piecesLeft).toBeGreaterThanOrEqual(3)
    expect(piecesLeft).toBeLessThan(10)
    expect(await looksOf(0)).toBe(1)
    const values = await store.getMany(Array.from({ length: 40 }, (_, n) => payloadKey(n)))
    expect(values.map((value) => value?.length)).toEqual(values.map(() => MIB))
  })

  it('ends to reclaim when it is closed', async () => {
    const store = await aFilledStore(40)
    let closing: Promise<void> | undefined
    let looks = 0

    await store.reclaim(async () => {
      looks += 1
      closing ??= store.close()
      return true
    })
    await closing

    expect(looks).toBeLessThanOrEqual(2)
    await expect(data.makeStore().open()).resolves.toMatchObject({ lsn: 40 })
  })

  it('may be closed while it opens, and then is free', async () => {
    const store = data.makeStore()
    const opening = store.open()

    await store.close()

    await expect(opening).resolves.toMatchObject({ created: true })
    await expect(data.makeStore().open()).resolves.toMatchObject({ created: false })
  })

  it('passes on a bug in the steps of its owner, and leaves nothing open', async () => {
    const bug = new TypeError('a bug')
    const step = (name: string): void => {
      if (name === 'verify') throw bug
    }

    await expect(data.makeStore({ onStep: step }).open()).rejects.toMatchObject({ cause: bug })

    await expect(data.makeStore().open()).resolves.toMatchObject({ created: true })
  })

  it.each([
    ['CORRUPT', 'damaged', (path: string) => overwriteEnd(path)],
    ['IO', 'missing', (path: string) => rm(path)],
  ])('rejects with %s what is in a table that is %s', async (code, _, spoil) => {
    await data.runUpTo(10)
    await data.runUpTo(10)
    const store = data.makeStore()
    await store.open()
    const [oldest = ''] = (await data.filesOfLevel('.ldb')).toSorted()
    await spoil(oldest)

    const [key = new Uint8Array(0)] = committedBatch(3, 1).putKeys

    await expect(store.getMany([key])).rejects.toMatchObject({ name: 'StoreError', code })
    await expect(store.load(EVERYTHING, 100).next()).rejects.toMatchObject({ name: 'StoreError' })
  })
})

const MIB = 2 ** 20
const SMALL_BUFFER = { cacheBytes: MIB, writeBufferBytes: MIB, compression: true }

/** So many commits with a payload of a MiB each. */
async function aFilledStore(count: number): Promise<LevelStore> {
  const store = data.makeStore({ tuning: SMALL_BUFFER })
  const { ownership } = await store.open()
  for (let n = 0; n < count; n += 1) {
    const batch = { putKeys: [payloadKey(n)], putValues: [randomBytes(MIB)], deleteKeys: [] }
    await store.commit(ownership, n + 1, 1, batch)
  }
  return store
}

function payloadKey(n: number): Uint8Array {
  return taskKey('payload', new Uint8Array(16).fill(n))
}

async function tableBytes(): Promise<number> {
  const sizes = (await data.filesOfLevel('.ldb')).map(async (path) => (await stat(path)).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

/** The end of a table names its index; without it LevelDB knows the file is none of its own. */
async function overwriteEnd(path: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(new Uint8Array(48), 0, 48, (await file.stat()).size - 48)
  await file.close()
}

describe('LevelStore in a process of its own', () => {
  async function startWriter(args: string[], fileBlocksMax?: number): Promise<Child<Report>> {
    const bundle = await bundleChild('commit-writer.ts')
    const limit = fileBlocksMax === undefined ? {} : { fileBlocksMax }
    const child = new Child<Report>(bundle, { args: [data.path, ...args], ...limit })
    onTestFinished(() => child.kill())
    return child
  }

  /** The LSN of the last commit that the child was told is stored, and what it said after it. */
  async function followWriter(child: Child<Report>): Promise<[number, Report]> {
    for (let lsn = 0; ;) {
      const report = await child.next()
      if (report.kind !== 'committed') return [lsn, report]
      lsn = report.lsn
    }
  }

  it('is refused what this one has open, with its pid', async () => {
    await data.makeStore().open()
    const child = await startWriter([])

    expect(await child.next()).toMatchObject({
      kind: 'not-opened',
      said: expect.stringContaining(`in use by process ${process.pid}.`),
    })
  })

  it('loses no acknowledged commit, and none in part, however often it is killed', async () => {
    const bundle = await bundleChild('commit-writer.ts')
    for (let round = 1; round <= 4; round += 1) {
      const child = new Child<Report>(bundle, { args: [data.path] })
      let acknowledged = 0
      for (let count = 0; count < round * 60; count += 1) {
        const report = await child.next()
        if (report.kind === 'committed') acknowledged = report.lsn
      }
      await child.kill()
      for (const report of child.received()) {
        if (report.kind === 'committed') acknowledged = report.lsn
      }

      const store = data.makeStore()
      const { lsn, ownership } = await store.open()

      expect(acknowledged).toBeGreaterThan(0)
      expect(lsn).toBeGreaterThanOrEqual(acknowledged)
      expect(lsn).toBeLessThanOrEqual(acknowledged + 1)
      expect(await faultsUpTo(store, lsn)).toEqual([])
      expect(ownership.epoch).toBe(round * 2)
      await store.close()
    }
  })

  it('refuses everything after a write that failed, and loses nothing it acknowledged', async () => {
    const child = await startWriter(['4000'], 1_000)
    const [acknowledged, end] = await followWriter(child)

    expect(end).toMatchObject({ kind: 'refused', by: 'unknown', later: 'unknown' })
    expect((end as Report & { kind: 'refused' }).read).toMatch(/commit \d+ failed and may or may/)
    await child.kill()
    const store = data.makeStore()
    const { lsn } = await store.open()
    expect(acknowledged).toBeGreaterThan(10)
    expect(lsn === acknowledged || lsn === acknowledged + 1).toBe(true)
    expect(await faultsUpTo(store, lsn)).toEqual([])
  })

  it('is given up, by its own word, when the high-water mark cannot be written', async () => {
    // 4 KiB hold the first slot of the mark and a commit, but not the second slot.
    const child = await startWriter(['1', '1'], 8)
    const [acknowledged, end] = await followWriter(child)

    expect(acknowledged).toBe(1)
    expect(end).toMatchObject({
      kind: 'refused',
      by: expect.stringContaining('its high-water mark could not be written'),
      later: 'unknown',
      read: expect.stringContaining('StoreError'),
    })
  })
})
