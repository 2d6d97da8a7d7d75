// Reads the table files before LevelDB does, since LevelDB believes whatever stands in them.

import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from './durable-file.ts'
import { LevelFormatError } from './level-bytes.ts'
import { liveTables, type LiveTable } from './level-manifest.ts'
import { checkTable } from './level-table.ts'
import { StoreError } from './port.ts'

/**
 * Bytes of tables that a start reads for this, the newest first: half a second of CPU. What is
 * older and beyond is guarded by the seals of its values alone, which tell of a value that is
 * wrong, and not of a key that cannot be found.
 */
export const VERIFIED_BYTES_MAX = 256 * 1024 * 1024

/**
 * To be called before LevelDB opens: it would compact damaged blocks into new tables, hide keys
 * whose filter or index is damaged, or abort the process.
 * @throws {StoreError} CORRUPT, naming the file.
 */
export async function verifyTables(directory: string): Promise<void> {
  const store = join(directory, 'store')
  let verifiedBytes = 0
  for (const table of (await liveTables(store)) ?? []) {
    verifiedBytes += table.bytes
    if (verifiedBytes > VERIFIED_BYTES_MAX) return
    const path = await pathOf(store, table)
    // LevelDB names the tables that it misses.
    if (path !== undefined) await verifyTable(path, table)
  }
}

async function verifyTable(path: string, table: LiveTable): Promise<void> {
  const bytes = new Uint8Array(await readFile(path))
  try {
    if (bytes.length !== table.bytes) {
      throw new LevelFormatError(`it has ${bytes.length} bytes instead of ${table.bytes}`)
    }
    checkTable(bytes)
  } catch (error) {
    if (!(error instanceof LevelFormatError)) throw error
    throw new StoreError(
      'CORRUPT',
      `the table file ${path} is damaged: ${error.message}. Nothing was changed. Do not repair it ` +
        'in place: repair brings deleted tasks back.',
      error,
    )
  }
}

/** Tables of LevelDB's early versions end otherwise. */
async function pathOf(store: string, { number }: LiveTable): Promise<string | undefined> {
  const name = String(number).padStart(6, '0')
  for (const ending of ['ldb', 'sst']) {
    const path = join(store, `${name}.${ending}`)
    try {
      await access(path)
      return path
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return undefined
}
