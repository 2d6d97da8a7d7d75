// Salvage: what can be read is kept, the dead stay dead, and the new store is always sound.

import { cpSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StillStore } from '../../test/still-store.ts'
import { StoredEngine } from '../../test/stored-engine.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { markUnfinished } from '../storage/identity.ts'
import { LevelStore } from '../storage/level-store.ts'
import { lsnOfJournalKey, taskIdOfKey, taskKey } from '../storage/key.ts'
import { seal } from '../storage/sealed.ts'
import { checkStore } from './check-store.ts'
import type { Finding } from './finding.ts'
import { salvageStore, type SalvageReport } from './salvage-store.ts'

interface Salvaged {
  readonly report: SalvageReport
  readonly findings: readonly Finding[]
  readonly target: StillStore
}

/** Salvages, and checks that the damaged store is as it was. That the new one is sound, salvage checks. */
async function salvage(store: StillStore, leavesOutTables = false): Promise<Salvaged> {
  const target = join(await temporaryDirectory(), 'saved')
  const findings: Finding[] = []
  const events = {
    onFinding: (finding: Finding) => void findings.push(finding),
    onProgress: () => {},
  }
  const before = await store.picture()
  const report = await salvageStore({ directory: store.path, target }, { leavesOutTables }, events)
  expect(await store.picture()).toEqual(before)
  expect(report.isWhole).toBe(findings.length === 0)
  return { report, findings, target: new StillStore(target) }
}

function codesOf({ findings }: Pick<Salvaged, 'findings'>): readonly string[] {
  return [...new Set(findings.map(({ code }) => code))].sort()
}

async function opened(
  directory: string,
): Promise<{ readonly engine: StoredEngine; readonly store: LevelStore }> {
  const store = new LevelStore({
    directory,
    onFailure: (error) => {
      throw error
    },
  })
  return { engine: await StoredEngine.on(store), store }
}

describe('the salvage of a sound store', () => {
  it('keeps every record, and goes on 1,000 epochs later', async () => {
    const { report, findings, target } = await salvage(await StillStore.make())

    expect(findings).toEqual([])
    expect(report).toMatchObject({ opened: 'as-it-was', epoch: 1_002, lsn: 14, isWhole: true })
    expect(report.kept).toMatchObject({ task: 12, done: 6, payload: 18, history: 34, dedupe: 3 })
    const check = await checkStore(target.path, {}, { onFinding: () => {}, onProgress: () => {} })
    expect(check).toMatchObject({ findings: {}, isSound: true })
    const { engine, store } = await opened(target.path)
    const [claimed] = engine.claim({ queues: ['work', 'reports'], session: 'w7' })
    await store.close()
    expect(engine.opened).toMatchObject({ ownership: { epoch: 1_003 }, lsn: 14 })
    expect(Math.floor((claimed?.token ?? 0) / 2 ** 32)).toBe(1_003)
  })
})

describe('the salvage of a damaged store', () => {
  it.each(['CURRENT', 'MANIFEST'])('brings all of it back without %s', async (prefix) => {
    const store = await StillStore.make()
    const names = await readdir(join(store.path, 'store'))
    await rm(join(store.path, 'store', names.find((name) => name.startsWith(prefix)) ?? ''))

    const salvaged = await salvage(store)

    expect(codesOf(salvaged)).toEqual(['doubtful', 'revived', 'unopenable'])
    for (const { what } of salvaged.findings) expect(what).not.toContain('tq-copy-')
    expect(salvaged.report).toMatchObject({ opened: 'repaired' })
    expect(salvaged.report.kept).toMatchObject({ task: 12, done: 6, payload: 18 })
  })

  it('saves what other table files hold when one is gone', async () => {
    const store = await StillStore.make()
    const { engine, store: level } = await opened(store.path)
    engine.add('late')
    await engine.commit()
    await level.close()
    // Each open makes a table of what stood in the log.
    await store.change(async () => {})
    const tables = (await readdir(join(store.path, 'store'))).filter((name) =>
      name.endsWith('.ldb'),
    )
    await rm(join(store.path, 'store', tables.sort().at(-1) ?? ''))

    const salvaged = await salvage(store)

    expect(codesOf(salvaged)).toEqual(expect.arrayContaining(['behind', 'unopenable']))
    expect(salvaged.report.kept).toMatchObject({ task: 12, done: 6 })
    expect(salvaged.report.epoch).toBe(1_003)
  })

  it('leaves a task out whose record is damaged, and names it', async () => {
    const store = await StillStore.make()
    const entry = await store.entry('task')
    await store.flip(entry)

    const { report, findings } = await salvage(store)

    expect(findings).toMatchObject([{ code: 'lost', key: Buffer.from(entry[0]).toString('hex') }])
    expect(report.kept).toMatchObject({ task: 11, payload: 17 })
  })

  it.each(['task', 'done'] as const)('leaves a %s out whose payload is damaged', async (family) => {
    const store = await StillStore.make()
    const [key] = await store.entry(family)
    const payload = taskKey('payload', taskIdOfKey(key))
    await store.flip(
      await store.entry('payload', ([other]) => Buffer.compare(other, payload) === 0),
    )

    const { report, findings } = await salvage(store)

    expect(findings).toMatchObject([{ code: 'lost' }])
    expect(report.kept).toMatchObject({ payload: 17 })
  })

  it('keeps a task without its history if a chapter is damaged', async () => {
    const store = await StillStore.make()
    await store.flip(await store.entry('history'))

    const { report, findings } = await salvage(store)

    expect(findings).toMatchObject([
      { code: 'lost', what: expect.stringContaining('history') as string },
    ])
    expect(report.kept).toMatchObject({ task: 12, done: 6 })
  })

  it('does not bring a task back that has ended, says the journal', async () => {
    const store = await StillStore.make()
    // As LevelDB's repair would: the record of the end is gone, that of the life is there again.
    const isTold = ([, record]: readonly [Uint8Array, Uint8Array]): boolean =>
      Buffer.from(record).includes('often lost')
    const [key, value] = await store.entry('done', isTold)
    const live = taskKey('task', taskIdOfKey(key))
    const record = Uint8Array.from(value)
    record[5] = 3
    seal(live, record, record[4] ?? 0)
    await store.change((level) =>
      level.batch([
        { type: 'put', key: live, value: record },
        { type: 'del', key },
      ]),
    )

    const salvaged = await salvage(store)

    expect(codesOf(salvaged)).toEqual(['resurrected'])
    expect(salvaged.report.kept).toMatchObject({ task: 12, done: 5 })
  })

  it.each([
    ['whose record of its end is damaged', false],
    ['that stands in the order of ends', true],
  ])('counts a task that had ended and lives again, %s', async (_, isGone) => {
    const store = await StillStore.make()
    const [key, value] = await store.entry('done', ([, record]) =>
      Buffer.from(record).includes('often lost'),
    )
    const live = taskKey('task', taskIdOfKey(key))
    const record = Uint8Array.from(value)
    // Queued, with all its attempts left.
    record[5] = 3
    record.fill(0, 8, 12)
    seal(live, record, record[4] ?? 0)
    await store.put(live, record)
    if (isGone) await store.remove(key)
    else await store.flip([key, value])
    // Nothing but these tells of its end.
    for (const [commit] of await store.entries('journal')) {
      await store.remove(Uint8Array.from(commit))
    }

    const { report, findings } = await salvage(store)

    expect(report).toMatchObject({ revived: 1, kept: { task: 13 } })
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: 'revived',
        key: Buffer.from(live).toString('hex'),
        advice: expect.stringContaining('run again') as string,
      }),
    )
  })

  it('says how many tasks may have ended where the newest commits are lost', async () => {
    const store = await StillStore.make()
    const { engine, store: level } = await opened(store.path)
    const [claimed] = engine.claim({ queues: ['work', 'reports'], session: 'w7' })
    await engine.commit()
    if (claimed !== undefined) engine.complete(claimed)
    await engine.commit()
    await level.close()
    const log = (await readdir(join(store.path, 'store'))).filter((name) => name.endsWith('.log'))
    await truncate(join(store.path, 'store', log.sort().at(-1) ?? ''), 0)

    const { report, findings } = await salvage(store)

    expect(codesOf({ findings })).toEqual(expect.arrayContaining(['behind', 'revived']))
    expect(report).toMatchObject({ kept: { task: 12 }, revived: 0, mayHaveEnded: 12 })
    const revived = findings.find(({ code }) => code === 'revived')
    expect(revived?.what).toBe(
      '12 live tasks may have ended: the newest commits are lost, and nothing left tells',
    )
  })

  it('names the tasks of which only the payload is left', async () => {
    const store = await StillStore.make()
    const [[key] = []] = await store.entries('task')
    if (key === undefined) throw new Error('there are tasks')
    await store.remove(Uint8Array.from(key))

    const { report, findings } = await salvage(store)

    expect(report.kept).toMatchObject({ task: 11 })
    expect(findings).toMatchObject([
      { code: 'lost', what: expect.stringMatching(/^task .* only its payload is left$/) as string },
    ])
  })

  it('tells of the loss of commits of an epoch that only the mark knows of', async () => {
    const store = await StillStore.make()
    const { store: level } = await opened(store.path)
    await level.close()
    const log = (await readdir(join(store.path, 'store'))).filter((name) => name.endsWith('.log'))
    await truncate(join(store.path, 'store', log.sort().at(-1) ?? ''), 0)

    const { report, findings } = await salvage(store)

    expect(findings.map(({ code }) => code)).toContain('behind')
    expect(report.mayHaveEnded).toBe(12)
  })

  it('says that the identity is missing', async () => {
    const store = await StillStore.make()
    await rm(join(store.path, 'identity'))

    expect(codesOf(await salvage(store))).toEqual(['identity'])
  })

  it('does not advise to run again what had ended', async () => {
    const store = await StillStore.make()
    await store.flip(await store.entry('done'))

    const { findings } = await salvage(store)

    expect(findings).toMatchObject([
      { code: 'lost', advice: expect.stringContaining('do not enqueue it again') as string },
    ])
  })

  it('tells what a refused start has kept as evidence', async () => {
    const store = await StillStore.make()
    await mkdir(join(store.path, 'damaged'))
    await writeFile(join(store.path, 'damaged', 'LOG'), 'x: dropping 7 bytes; Corruption: y\n')

    const { findings } = await salvage(store)

    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'dropped', key: 'damaged/LOG' }),
    )
  })

  it('queues tasks again whose session is lost', async () => {
    const store = await StillStore.make()
    for (const [key] of await store.entries('session')) await store.remove(Uint8Array.from(key))

    const salvaged = await salvage(store)

    expect(codesOf(salvaged)).toEqual(['doubtful'])
    const { engine, store: level } = await opened(salvaged.target.path)
    await level.close()
    expect(engine.state.leases.count).toBe(0)
    expect(engine.state.tasks.count).toBe(12)
  })

  it('makes a lost queue anew, paused, with all its tasks', async () => {
    const store = await StillStore.make()
    const isWork = ([, value]: readonly [Uint8Array, Uint8Array]): boolean =>
      Buffer.from(value).includes('"name":"work"')
    await store.remove((await store.entry('queue', isWork))[0])

    const salvaged = await salvage(store)

    expect(codesOf(salvaged)).toEqual(['remade'])
    const { engine, store: level } = await opened(salvaged.target.path)
    await level.close()
    const remade = [...engine.state.queuesByName.values()].find(({ name }) =>
      name.startsWith('salvaged-'),
    )
    expect(remade).toMatchObject({ paused: true })
    expect(remade?.liveCount).toBe(9)
  })

  it('forgets a damaged idempotency key, and that its task had one', async () => {
    const store = await StillStore.make()
    await store.flip(await store.entry('dedupe'))

    const { report, findings } = await salvage(store)

    expect(findings[0]).toMatchObject({
      code: 'lost',
      what: expect.stringContaining('key') as string,
    })
    expect(report.kept).toMatchObject({ dedupe: 2, dedupeByAge: 2, task: 12, done: 6 })
  })

  it('begins the journal anew where its end is lost, and goes on counting', async () => {
    const store = await StillStore.make()
    await store.remove((await store.entry('journal', ([key]) => lsnOfJournalKey(key) === 13))[0])

    const { report, findings } = await salvage(store)

    expect(findings).toMatchObject([{ code: 'lost' }])
    expect(report.lsn).toBe(14)
    expect(report.kept).toMatchObject({ journal: 1 })
  })

  it('finds which store it is without the file identity', async () => {
    const store = await StillStore.make()
    await writeFile(join(store.path, 'identity'), 'rubbish')

    const { report } = await salvage(store)

    expect(report.storeId).toBe('5a'.repeat(16))
  })

  it('survives flipped bits in a table file, and can leave such files out', async () => {
    const store = await StillStore.make()
    const names = await readdir(join(store.path, 'store'))
    const path = join(store.path, 'store', names.find((name) => name.endsWith('.ldb')) ?? '')
    const bytes = await readFile(path)
    // In the block of the payloads: what is read wrongly there fails its seal.
    bytes[bytes.length >>> 1] = (bytes[bytes.length >>> 1] ?? 0) ^ 8
    await writeFile(path, bytes)

    const salvaged = await salvage(store)
    const bare = await salvage(store, true)

    expect(codesOf(salvaged)).toContain('unreadable')
    expect(salvaged.report.kept['task'] ?? 0).toBeGreaterThan(0)
    expect(codesOf(bare)).toEqual(expect.arrayContaining(['lost', 'unreadable']))
    expect(bare.report.epoch).toBeGreaterThan(1_000)
  })

  it('is refused by a broker wherever it was cut off, and called a salvage', async () => {
    const store = await StillStore.make()
    const root = await temporaryDirectory()
    const target = join(root, 'data')
    const images: string[] = []
    const onProgress = (): void => {
      cpSync(target, join(root, `${images.length}`), { recursive: true })
      images.push(join(root, `${images.length}`))
    }
    await salvageStore({ directory: store.path, target }, {}, { onFinding: () => {}, onProgress })

    expect(images.length).toBeGreaterThan(1)
    for (const image of images) {
      await expect(opened(image)).rejects.toMatchObject({
        code: 'MISSING',
        message: expect.stringContaining(`the salvage of ${store.path} into`) as string,
      })
    }
  })

  it('takes over what its first try has left, and nothing else', async () => {
    const store = await StillStore.make()
    const target = await temporaryDirectory()
    await markUnfinished(target, { state: 'salvaging', from: store.path })
    await mkdir(join(target, 'store'))
    const events = { onFinding: () => {}, onProgress: () => {} }
    const again = (directory: string): Promise<SalvageReport> =>
      salvageStore({ directory, target }, { leavesOutTables: true }, events)

    const ofAnother = again((await StillStore.make()).path)
    await expect(ofAnother).rejects.toMatchObject({ code: 'occupied' })
    expect(await again(store.path)).toMatchObject({ isWhole: true })
  })

  it.each([
    ['in the store', (store: string) => join(store, 'new')],
    ['in the store, by a link', (store: string) => join(store, '..', 'link', 'new')],
    ['in the folder of LevelDB', (store: string) => join(store, 'store', 'a', 'new')],
  ])('is refused into a folder %s', async (_, targetOf) => {
    const store = await StillStore.make()
    await symlink(store.path, join(store.path, '..', 'link'))
    // By what is in it alone it is no data directory any more.
    await rm(join(store.path, 'identity'))
    const before = await store.picture()
    const events = { onFinding: () => {}, onProgress: () => {} }
    const target = targetOf(store.path)

    const salvaging = salvageStore({ directory: store.path, target }, {}, events)

    await expect(salvaging).rejects.toMatchObject({ code: 'usage' })
    expect(await store.picture()).toEqual(before)
  })

  it('is refused into what holds the store, and from a restore that was cut off', async () => {
    const store = await StillStore.make()
    const events = { onFinding: () => {}, onProgress: () => {} }
    const around = { directory: store.path, target: join(store.path, '..') }
    await expect(salvageStore(around, {}, events)).rejects.toMatchObject({ code: 'occupied' })

    const half = await temporaryDirectory()
    await markUnfinished(half, { state: 'restoring', from: '/backups/monday' })
    const ofHalf = { directory: half, target: `${half}-salvaged` }

    await expect(salvageStore(ofHalf, {}, events)).rejects.toMatchObject({
      code: 'unsound',
      message: expect.stringContaining('store restore /backups/monday') as string,
    })
  })

  it('begins above an epoch that an earlier salvage has used', async () => {
    const store = await StillStore.make()
    const target = join(await temporaryDirectory(), 'saved')
    const events = { onFinding: () => {}, onProgress: () => {} }

    const report = await salvageStore(
      { directory: store.path, target },
      { epochMin: 5_000 },
      events,
    )

    expect(report.epoch).toBe(5_000)
    const { engine, store: level } = await opened(target)
    await level.close()
    expect(engine.opened.ownership.epoch).toBe(5_001)
  })

  it('is refused into a directory that is not empty', async () => {
    const store = await StillStore.make()
    const target = await temporaryDirectory()
    await writeFile(join(target, 'mine'), '')
    const events = { onFinding: () => {}, onProgress: () => {} }

    const salvaging = salvageStore({ directory: store.path, target }, {}, events)

    await expect(salvaging).rejects.toMatchObject({ code: 'occupied' })
    expect(await readdir(target)).toEqual(['mine'])
  })
})
