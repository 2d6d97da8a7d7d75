// Stores as they were released: today's broker opens each, and finds in it what was written.
import { cp, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LIVE_STATES, TERMINAL_STATES } from '@tq/core'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { FACT_KINDS } from '../../src/engine/fact.ts'
import { FORMAT_VERSION } from '../../src/storage/head-record.ts'
import { LevelStore } from '../../src/storage/level-store.ts'
import { FAMILIES } from '../../src/storage/key.ts'
import { StoredEngine } from '../stored-engine.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { dumpStore } from './store-dump.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** Together they are in the repository for ever, so each of them is small. */
const GOLDEN_BYTES_MAX = 300_000

const formats = (await readdir(HERE)).filter((name) => /^format-\d+$/.test(name)).sort()

it('a golden store is kept of every format', () => {
  const numbers = Array.from({ length: FORMAT_VERSION }, (_, index) => `format-${index + 1}`)
  expect(formats).toEqual(numbers)
})

describe.each(formats)('the golden store of %s', (name) => {
  let stored: StoredEngine

  beforeEach(async () => {
    const directory = join(await temporaryDirectory(), 'data')
    await cp(join(HERE, name), directory, { recursive: true })
    const store = new LevelStore({
      directory,
      onFailure: (error) => {
        throw error
      },
    })
    onTestFinished(() => store.close())
    stored = await StoredEngine.on(store)
  })

  it('holds what it must', async () => {
    const golden: unknown = JSON.parse(await readFile(join(HERE, `${name}.json`), 'utf8'))

    expect(await dumpStore(stored)).toEqual(golden)
    expect(stored.damages).toEqual([])
  })

  it('is one to go on with', async () => {
    const [claimed] = stored.claim({ queues: ['mail', 'reports', 'again', 'work'], session: 'w7' })
    if (claimed === undefined) throw new Error('there is work in it')
    stored.complete(claimed)
    const id = stored.add('mail')
    await stored.commit()

    expect(Math.floor(claimed.token / 2 ** 32)).toBe(stored.opened.ownership.epoch)
    expect([...(await stored.lookup.ended([claimed.id])).values()]).toHaveLength(1)
    const [record] = await stored.lookup.payloads([id])
    expect([...(record?.payload ?? [])]).toEqual([1])
  })

  it('is small', async () => {
    const names = await readdir(join(HERE, name), { recursive: true })
    const files = [...names.map((file) => join(HERE, name, file)), join(HERE, `${name}.json`)]
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))

    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(GOLDEN_BYTES_MAX)
  })
})

it('the golden store of the newest format has every kind of record, state and fact', async () => {
  const text = await readFile(join(HERE, `format-${FORMAT_VERSION}.json`), 'utf8')
  const golden = JSON.parse(text) as {
    readonly records: Readonly<Record<string, number>>
    readonly state: { readonly tasks: readonly { readonly state: string }[] }
    readonly ended: readonly { readonly end: { readonly state: string } }[]
    readonly journal: readonly { readonly facts: readonly { readonly fact: string }[] }[]
  }
  const durable = Object.entries(FACT_KINDS).filter(([, kind]) => kind.durable)

  expect(Object.keys(golden.records)).toEqual(Object.keys(FAMILIES))
  expect(Object.values(golden.records)).not.toContain(0)
  expect(new Set(golden.state.tasks.map(({ state }) => state))).toEqual(new Set(LIVE_STATES))
  expect(new Set(golden.ended.map(({ end }) => end.state))).toEqual(new Set(TERMINAL_STATES))
  const facts = new Set(golden.journal.flatMap(({ facts }) => facts.map(({ fact }) => fact)))
  expect([...facts].sort()).toEqual(durable.map(([kind]) => kind).sort())
})
