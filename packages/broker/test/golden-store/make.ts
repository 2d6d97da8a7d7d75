// Makes a golden store: a small data directory with every kind of record, and what it must hold.
//
//   node --import tsx --conditions=@tq/source packages/broker/test/golden-store/make.ts <format>
//
// Run once for a format that is to be released, from the broker that writes it, then prettier over
// what it made. A golden store is never made again: that later brokers read it is what it is for.

import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClassicLevel } from 'classic-level'
import { LevelStore } from '../../src/storage/level-store.ts'
import { StoredEngine } from '../stored-engine.ts'
import { dumpStore } from './store-dump.ts'
import { firstLife, secondLife } from './story.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** What is not of the store: locks, and what LevelDB says to people. */
const LEFT_OUT = ['lock', 'store/LOCK', 'store/LOG', 'store/LOG.old']

async function make(name: string): Promise<void> {
  if ((await readdir(HERE)).includes(name))
    throw new Error(`${name} exists; it is never made again`)
  const made = await mkdtemp(join(tmpdir(), 'tq-golden-'))
  try {
    await live(made, firstLife)
    await live(made, secondLife)
    await pack(join(made, 'store'))
    for (const path of LEFT_OUT) await rm(join(made, path), { recursive: true, force: true })
    await cp(made, join(HERE, name), { recursive: true })
    await writeFile(join(HERE, `${name}.json`), `${await dumped(made)}\n`)
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}

async function live(
  directory: string,
  story: (stored: StoredEngine) => Promise<void>,
): Promise<void> {
  await withStore(directory, async (stored) => {
    await story(stored)
  })
}

async function dumped(directory: string): Promise<string> {
  let text = ''
  await withStore(directory, async (stored) => {
    text = JSON.stringify(await dumpStore(stored), undefined, 2)
  })
  return text
}

async function withStore(
  directory: string,
  use: (stored: StoredEngine) => Promise<void>,
): Promise<void> {
  const store = new LevelStore({
    directory,
    random: { chance: () => 0.5, fill: (bytes) => void bytes.fill(0x5a) },
    onFailure: (error) => {
      throw error
    },
  })
  try {
    await use(await StoredEngine.on(store))
  } finally {
    await store.close()
  }
}

/** Sorts what is in LevelDB's log into a table: logs are easily taken for refuse, and ignored. */
async function pack(store: string): Promise<void> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(store, {
    keyEncoding: 'view',
    valueEncoding: 'view',
  })
  await level.open()
  await level.compactRange(Uint8Array.of(0), Uint8Array.of(0xff))
  await level.close()
  for (const name of await readdir(store)) if (name.endsWith('.log')) await rm(join(store, name))
}

const format = process.argv[2]
if (format === undefined || !/^\d+$/.test(format)) {
  throw new Error('name the number of the format, such as 1')
}
await make(`format-${format}`)
