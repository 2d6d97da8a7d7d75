// The check of a store: silent about a sound one, and right about each kind of damage.

import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StillStore } from '../../test/still-store.ts'
import { StoredEngine } from '../../test/stored-engine.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { HEAD_KEY, decodeHead, encodeHead } from '../storage/head-record.ts'
import {
  dedupeByAgeKey,
  ENGINE_KEY,
  type Family,
  historyKey,
  lsnOfJournalKey,
  taskIdOfKey,
  taskKey,
} from '../storage/key.ts'
import { markUnfinished } from '../storage/identity.ts'
import { keepStore } from '../storage/kept-store.ts'
import { LevelStore } from '../storage/level-store.ts'
import { thisProcess } from '../storage/process-identity.ts'
import { decodeEngine, encodeEngine, type EngineRecord } from '../storage/registry-record.ts'
import { seal } from '../storage/sealed.ts'
import { checkStore, type CheckReport } from './check-store.ts'
import type { Finding } from './finding.ts'

async function check(
  directory: string,
): Promise<{ readonly report: CheckReport; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = []
  const events = {
    onFinding: (finding: Finding) => void findings.push(finding),
    onProgress: () => {},
  }
  return { report: await checkStore(directory, {}, events), findings }
}

/** Codes of what is found, each once, in order. */
async function codesOf(directory: string): Promise<readonly string[]> {
  const { report, findings } = await check(directory)
  expect(report.isSound).toBe(findings.length === 0)
  return [...new Set(findings.map(({ code }) => code))].sort()
}

async function changeEngine(store: StillStore, change: Partial<EngineRecord>): Promise<void> {
  const [, value] = await store.entry('meta', ([key]) => Buffer.compare(key, ENGINE_KEY) === 0)
  await store.put(
    ENGINE_KEY,
    encodeEngine(ENGINE_KEY, { ...decodeEngine(ENGINE_KEY, value), ...change }),
  )
}

describe('the check of a sound store', () => {
  it('finds nothing, counts everything, and changes no byte and no time', async () => {
    const store = await StillStore.make()
    const before = await store.picture()

    const { report, findings } = await check(store.path)

    expect(findings).toEqual([])
    expect(report).toMatchObject({ isSound: true, lsn: 13, epoch: 2 })
    expect(report.records).toMatchObject({ task: 12, done: 6, payload: 18, journal: 11 })
    expect(report.queues['mail']).toEqual({ completed: 1, dead: 2, cancelled: 1, expired: 1 })
    expect(await store.picture()).toEqual(before)
    expect(await readdir(dirname(store.path))).toEqual(['data'])
  })

  it('looks at what the next start takes, if one was cut off while it undid an opening', async () => {
    const store = await StillStore.make()
    await keepStore(store.path)
    await rename(join(store.path, 'opening'), join(store.path, 'undoing'))
    await rename(join(store.path, 'store'), join(store.path, 'leaving'))
    const before = await store.picture()

    const { report, findings } = await check(store.path)

    expect(findings).toEqual([])
    expect(report).toMatchObject({ isSound: true, lsn: 13, epoch: 2 })
    expect(await store.picture()).toEqual(before)
  })

  it('writes to no file of the store, even if LevelDB gives the number of a table twice', async () => {
    const store = await StillStore.make()
    const inside = join(store.path, 'store')
    await store.put(Uint8Array.of(0xee), Uint8Array.of(1))
    const older = join(await temporaryDirectory(), 'older')
    await cp(inside, older, { recursive: true })
    // This open makes a table of the log. With the older files around it, the next one does so again.
    await store.change(async () => {})
    for (const name of await readdir(inside)) {
      if (!name.endsWith('.ldb')) await rm(join(inside, name))
    }
    await cp(older, inside, { recursive: true, force: false })
    const before = await store.picture()

    await check(store.path)

    expect(await store.picture()).toEqual(before)
  })
})

/** Each makes a copy of the golden store unsound, and tells what must be found. */
const DAMAGES: Readonly<
  Record<
    string,
    { readonly codes: readonly string[]; readonly plant: (store: StillStore) => Promise<unknown> }
  >
> = {
  ...Object.fromEntries(
    (['payload', 'done', 'history', 'dedupe'] as const).map((family: Family) => [
      `a flipped bit in a ${family} record`,
      {
        codes: ['damaged'],
        plant: async (store: StillStore) => store.flip(await store.entry(family)),
      },
    ]),
  ),
  ...Object.fromEntries(
    (['task', 'journal'] as const).map((family: Family) => [
      `a flipped bit in a ${family} record, with which no broker starts`,
      {
        codes: ['damaged', 'refused'],
        plant: async (store: StillStore) =>
          store.flip(
            await store.entry(family, ([key]) => family === 'task' || lsnOfJournalKey(key) > 6),
          ),
      },
    ]),
  ),
  'a value under the key of another': {
    codes: ['damaged'],
    plant: async (store) => {
      const [one, other] = await store.entries('payload')
      if (one !== undefined && other !== undefined) await store.put(one[0], other[1])
    },
  },
  'a live task without its payload': {
    codes: ['missing'],
    plant: async (store) => {
      const [key] = await store.entry('task')
      await store.remove(taskKey('payload', taskIdOfKey(key)))
    },
  },
  'a chapter that is missing': {
    codes: ['missing'],
    plant: async (store) => store.remove((await store.entry('history'))[0]),
  },
  'a chapter that should have gone': {
    codes: ['stray'],
    plant: async (store) => {
      const [key, value] = await store.entry('history')
      const stray = historyKey(taskIdOfKey(key.subarray(0, -4)), 9_999)
      const copy = Uint8Array.from(value)
      seal(stray, copy, copy[4] ?? 0)
      await store.put(stray, copy)
    },
  },
  'a payload that belongs to nothing': {
    codes: ['stray'],
    plant: async (store) => {
      const [key, value] = await store.entry('payload')
      const stray = Uint8Array.from(key)
      stray[stray.length - 1] = 0xfe
      seal(stray, value, value[4] ?? 0)
      await store.put(stray, value)
    },
  },
  'a payload that is longer than its task says': {
    codes: ['contradiction'],
    plant: async (store) => {
      const [key, value] = await store.entry('payload')
      const longer = Uint8Array.from([...value, 7])
      seal(key, longer, value[4] ?? 0)
      await store.put(key, longer)
    },
  },
  'an end that nothing finds': {
    codes: ['missing'],
    plant: async (store) => store.remove((await store.entry('doneByEnd'))[0]),
  },
  'an entry in the order of ends of a task that is not kept': {
    codes: ['stray'],
    plant: async (store) => {
      const [key] = await store.entry('doneByEnd')
      const stray = Uint8Array.from(key)
      stray[stray.length - 1] = 0xfe
      await store.put(stray, new Uint8Array(0))
    },
  },
  'an idempotency key without an age': {
    codes: ['missing'],
    plant: async (store) => store.remove((await store.entry('dedupeByAge'))[0]),
  },
  'an age without an idempotency key': {
    codes: ['stray'],
    plant: async (store) => {
      const [key] = await store.entry('dedupe')
      const other = Uint8Array.from([...key, 0x21])
      await store.put(dedupeByAgeKey(1_800_000_000_000, other), new Uint8Array(0))
    },
  },
  'a younger idempotency key that was forgotten': {
    codes: ['missing'],
    plant: async (store) => {
      const [aged] = (await store.entries('dedupeByAge')).slice(-1)
      if (aged === undefined) throw new Error('there are keys')
      const youngest = Uint8Array.of(0x06, ...aged[0].subarray(11))
      await store.change((level) =>
        level.batch([
          { type: 'del', key: aged[0] },
          { type: 'del', key: youngest },
        ]),
      )
    },
  },
  'a commit that is missing in the middle': {
    codes: ['gap', 'refused'],
    plant: async (store) =>
      store.remove((await store.entry('journal', ([key]) => lsnOfJournalKey(key) === 9))[0]),
  },
  'the last commit missing in the journal': {
    codes: ['gap', 'refused'],
    plant: async (store) =>
      store.remove((await store.entry('journal', ([key]) => lsnOfJournalKey(key) === 13))[0]),
  },
  'a head that is behind its mark': {
    codes: ['behind', 'contradiction'],
    plant: async (store) => {
      const [, value] = await store.entry('meta', ([key]) => Buffer.compare(key, HEAD_KEY) === 0)
      const reading = decodeHead(HEAD_KEY, value)
      if (reading.kind !== 'head') throw new Error('the head is sound')
      await store.put(HEAD_KEY, encodeHead(HEAD_KEY, { ...reading.head, lsn: 11 }))
    },
  },
  'no head': { codes: ['head'], plant: (store) => store.remove(HEAD_KEY) },
  'no engine record': { codes: ['missing', 'refused'], plant: (store) => store.remove(ENGINE_KEY) },
  'a sequence that would be given twice': {
    codes: ['contradiction'],
    plant: (store) => changeEngine(store, { nextSequence: 2 }),
  },
  'a token that would be given twice': {
    codes: ['contradiction'],
    plant: (store) => changeEngine(store, { lastToken: 5 }),
  },
  'a queue whose record is lost': {
    codes: ['damaged', 'refused'],
    plant: async (store) => {
      const queues = await store.entries('queue')
      for (const [key, value] of queues) {
        if (Buffer.from(value).includes('"name":"work"')) await store.remove(Uint8Array.from(key))
      }
    },
  },
  'sessions that are lost': {
    codes: ['missing', 'refused'],
    plant: async (store) => {
      for (const [key] of await store.entries('session')) await store.remove(Uint8Array.from(key))
    },
  },
  'a task that is live and has ended': {
    codes: ['contradiction'],
    plant: async (store) => {
      const [key, value] = await store.entry('done')
      const live = taskKey('task', taskIdOfKey(key))
      const record = Uint8Array.from(value)
      record[5] = 3
      seal(live, record, record[4] ?? 0)
      await store.put(live, record)
    },
  },
  'a key of no family': {
    codes: ['unknown-key'],
    plant: (store) => store.put(Uint8Array.of(0xee, 1), Uint8Array.of(1)),
  },
  'no CURRENT': {
    codes: ['unopenable'],
    plant: (store) => rm(join(store.path, 'store/CURRENT')),
  },
  'no manifest': {
    codes: ['unopenable'],
    plant: async (store) =>
      rm(
        join(
          store.path,
          'store',
          (await readFile(join(store.path, 'store/CURRENT'), 'utf8')).trim(),
        ),
      ),
  },
  'no table file': {
    codes: ['unopenable'],
    plant: async (store) => {
      const names = await readdir(join(store.path, 'store'))
      for (const name of names.filter((each) => each.endsWith('.ldb'))) {
        await rm(join(store.path, 'store', name))
      }
    },
  },
  'no identity': { codes: ['identity'], plant: (store) => rm(join(store.path, 'identity')) },
  'an identity of another store': {
    codes: ['head'],
    plant: (store) =>
      writeFile(
        join(store.path, 'identity'),
        JSON.stringify({ formatVersion: 1, storeId: '1'.repeat(32), state: 'ready' }),
      ),
  },
  'a high-water mark that cannot be read': {
    codes: ['high-water'],
    plant: (store) => writeFile(join(store.path, 'high-water'), new Uint8Array(8_192)),
  },
}

describe('the check of a damaged store', () => {
  it.each(Object.entries(DAMAGES))('finds %s', async (_, { codes, plant }) => {
    const store = await StillStore.make()
    await plant(store)

    expect(await codesOf(store.path)).toEqual(codes)
  })

  it('finds each single bit that is flipped in a table file, or serves all of it', async () => {
    const store = await StillStore.make()
    const [name = ''] = (await readdir(join(store.path, 'store'))).filter((each) =>
      each.endsWith('.ldb'),
    )
    const path = join(store.path, 'store', name)
    const bytes = await readFile(path)
    bytes[bytes.length >>> 1] = (bytes[bytes.length >>> 1] ?? 0) ^ 8
    await writeFile(path, bytes)

    expect(await codesOf(store.path)).toContain('unreadable')
  })

  it('names the key, says what is wrong, and what to do', async () => {
    const store = await StillStore.make()
    const entry = await store.entry('payload')
    await store.flip(entry)

    const { findings } = await check(store.path)

    expect(findings).toMatchObject([
      {
        code: 'damaged',
        key: Buffer.from(entry[0]).toString('hex'),
        what: expect.stringContaining('the payload of task 01') as string,
        advice: expect.stringContaining('restore') as string,
      },
    ])
  })
})

describe('the advice of a check', () => {
  /** Whether a broker starts, says the check; and whether it does. */
  async function starts(store: StillStore): Promise<readonly [said: boolean, does: boolean]> {
    const { report } = await check(store.path)
    expect(report.advice === undefined).toBe(report.starts)
    const level = new LevelStore({ directory: store.path, onFailure: () => {} })
    const does = await StoredEngine.on(level).then(
      () => true,
      () => false,
    )
    await level.close()
    return [report.starts, does]
  }

  it.each(Object.entries(DAMAGES))(
    'is right about whether a broker starts on %s',
    async (_, { plant }) => {
      const store = await StillStore.make()
      await plant(store)

      const [said, does] = await starts(store)

      expect(said).toBe(does)
    },
  )

  it('is right about whether a broker starts on a damaged table file', async () => {
    const store = await StillStore.make()
    const inside = join(store.path, 'store')
    const name = (await readdir(inside)).find((each) => each.endsWith('.ldb')) ?? ''
    const bytes = await readFile(join(inside, name))
    // In the block of the payloads, which a start reads for its checksum only.
    await writeFile(join(inside, name), bytes.fill(7, 2_500, 2_520))

    expect(await starts(store)).toEqual([false, false])
  })

  it('names the commands that help if no broker starts', async () => {
    const store = await StillStore.make()
    await store.remove(HEAD_KEY)

    const { report } = await check(store.path)

    expect(report.advice).toContain(
      `tq-admin store salvage ${store.path} --to ${store.path}-salvaged`,
    )
  })

  it.each([
    ['payload', 'unreadable_payload'],
    ['done', 'counts as not kept'],
    ['history', 'shown without it'],
    ['dedupe', 'UNAVAILABLE'],
  ] as const)('on a damaged %s record is what a broker does about it', async (family, words) => {
    const store = await StillStore.make()
    await store.flip(await store.entry(family))

    const { report, findings } = await check(store.path)

    expect(report).toMatchObject({ isSound: false, starts: true })
    expect(findings[0]?.advice).toContain(words)
  })

  it('names the files of the store, and not those of the copy', async () => {
    const store = await StillStore.make()
    await rm(join(store.path, 'store/CURRENT'))

    const { findings } = await check(store.path)

    expect(findings).toMatchObject([{ what: `${join(store.path, 'store/CURRENT')} is missing` }])
  })

  it('on a restore that was cut off is to do it again, and nothing else', async () => {
    const store = await StillStore.make()
    await rm(join(store.path, 'identity'))
    await markUnfinished(store.path, { state: 'restoring', from: '/backups/monday' })

    const { report, findings } = await check(store.path)

    expect(report).toMatchObject({ isSound: false, starts: false, records: {} })
    expect(findings).toMatchObject([
      {
        code: 'unfinished',
        what: expect.stringContaining(
          `tq-admin store restore /backups/monday --to ${store.path}`,
        ) as string,
      },
    ])
  })

  it('is not sought by writing into the store', async () => {
    const store = await StillStore.make()
    const before = await store.picture()
    const events = { onFinding: () => {}, onProgress: () => {} }

    const checking = checkStore(store.path, { workDirectory: store.path }, events)

    await expect(checking).rejects.toMatchObject({ code: 'usage' })
    expect(await store.picture()).toEqual(before)
  })
})

describe('the check of a store that is no store', () => {
  it('is refused while a broker has it', async () => {
    const store = await StillStore.make()
    await mkdir(join(store.path, 'lock'))
    await writeFile(join(store.path, 'lock/1'), JSON.stringify(await thisProcess()))

    await expect(check(store.path)).rejects.toMatchObject({ code: 'locked' })
  })

  it('is refused while a container may have it that cannot be seen, unless it has stopped', async () => {
    const store = await StillStore.make()
    await mkdir(join(store.path, 'lock'))
    const elsewhere = { ...(await thisProcess()), pidNamespace: 'pid:[1]' }
    await writeFile(join(store.path, 'lock/1'), JSON.stringify(elsewhere))
    const events = { onFinding: () => {}, onProgress: () => {} }

    await expect(check(store.path)).rejects.toMatchObject({ code: 'locked' })
    const report = await checkStore(store.path, { assumesStopped: true }, events)

    expect(report.isSound).toBe(true)
  })

  it('is refused where there is none', async () => {
    const directory = await temporaryDirectory()

    await expect(check(directory)).rejects.toMatchObject({ code: 'not-found' })
  })
})
