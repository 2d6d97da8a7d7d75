// Files and bytes of a store on disk: as it stands, and as small as compaction makes it.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'

export interface StoreFigures {
  readonly storeFiles: number
  readonly storeBytes: number
}

export async function storeFigures(directory: string): Promise<StoreFigures> {
  let storeFiles = 0
  let storeBytes = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    // LevelDB removes files while they are listed.
    const size = await stat(join(entry.parentPath, entry.name)).then(
      (found) => found.size,
      () => undefined,
    )
    if (size === undefined) continue
    storeFiles += 1
    storeBytes += size
  }
  return { storeFiles, storeBytes }
}

/** What is left of a stopped broker's store when nothing that was deleted takes room any more. */
export async function compactedFigures(directory: string): Promise<StoreFigures> {
  const location = join(directory, 'store')
  const db = new ClassicLevel<Uint8Array, Uint8Array>(location, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: false,
  })
  await db.open()
  await db.compactRange(new Uint8Array([0]), new Uint8Array(32).fill(0xff))
  await db.close()
  return storeFigures(location)
}
