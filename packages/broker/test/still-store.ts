// A store at rest with every kind of record, to be damaged as a test likes and looked into.

import { cp, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClassicLevel } from 'classic-level'
import { type Family, familyRange } from '../src/storage/key.ts'
import type { Entry } from '../src/storage/port.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const GOLDEN = fileURLToPath(new URL('golden-store/format-1', import.meta.url))

type Level = ClassicLevel<Uint8Array, Uint8Array>

export class StillStore {
  readonly path: string

  /** A copy of the golden store. */
  static async make(): Promise<StillStore> {
    const path = join(await temporaryDirectory(), 'data')
    await cp(GOLDEN, path, { recursive: true })
    return new StillStore(path)
  }

  constructor(path: string) {
    this.path = path
  }

  /** Changes what LevelDB holds behind everybody's back. */
  async change(how: (level: Level) => Promise<void>): Promise<void> {
    const level: Level = new ClassicLevel(join(this.path, 'store'), {
      keyEncoding: 'view',
      valueEncoding: 'view',
    })
    await level.open()
    try {
      await how(level)
    } finally {
      await level.close()
    }
  }

  async entries(family: Family): Promise<readonly Entry[]> {
    let found: readonly Entry[] = []
    await this.change(async (level) => {
      const { from, to } = familyRange(family)
      found = await level.iterator({ gte: from, lt: to }).all()
    })
    return found
  }

  /** The first record of a family of which this is true. */
  async entry(family: Family, isWanted: (entry: Entry) => boolean = () => true): Promise<Entry> {
    const found = (await this.entries(family)).find(isWanted)
    if (found === undefined) throw new Error(`there is no such ${family} record`)
    return [Uint8Array.from(found[0]), Uint8Array.from(found[1])]
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.change((level) => level.put(key, value))
  }

  remove(key: Uint8Array): Promise<void> {
    return this.change((level) => level.del(key))
  }

  /** Flips one bit of a value. */
  flip([key, value]: Entry): Promise<void> {
    const flipped = Uint8Array.from(value)
    flipped[flipped.length - 1] = (flipped[flipped.length - 1] ?? 0) ^ 1
    return this.put(key, flipped)
  }

  /** Every file with its content and its time. */
  async picture(): Promise<Readonly<Record<string, string>>> {
    const picture: Record<string, string> = {}
    for (const name of (await readdir(this.path, { recursive: true })).sort()) {
      const path = join(this.path, name)
      const { mtimeMs, ino } = await stat(path)
      const isFile = (await stat(path)).isFile()
      const content = isFile ? (await readFile(path)).toString('base64') : 'directory'
      picture[name] = `${ino} ${mtimeMs} ${content}`
    }
    return picture
  }
}
