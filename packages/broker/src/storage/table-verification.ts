// Reads the table files before LevelDB does, since LevelDB believes whatever stands in them.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from './durable-file.ts'
import { LevelFormatError } from './level-bytes.ts'
import { liveTables, type LiveTable } from './level-manifest.ts'
import { checkTable } from './level-table.ts'
import { StoreError } from './port.ts'

/**
 * Bytes of tables that a start reads for this, the newest first: half a second of CPU. What is
 * older and beyond is guarded by the seals of its values alone, which tell of a value that is
 * wrong, and not of a key that cannot be found.
 */
const VERIFIED_BYTES_MAX = 256 * 1024 * 1024

/** A table file that the manifest names, and that is there. LevelDB names those that it misses. */
export interface TableFile {
  readonly path: string
  /** As the manifest says. */
  readonly bytes: number
  /** It is one of those that a start reads. */
  readonly isVerified: boolean
}

/**
 * To be called before LevelDB opens: it would compact damaged blocks into new tables, hide keys
 * whose filter or index is damaged, or abort the process.
 * @throws {StoreError} CORRUPT, naming the file.
 */
export async function verifyTables(directory: string): Promise<void> {
  for await (const file of tableFiles(join(directory, 'store'))) {
    if (!file.isVerified) return
    const flaw = await flawOfTable(file)
    if (flaw === undefined) continue
    throw new StoreError(
      'CORRUPT',
      `the table file ${file.path} is damaged: ${flaw.message}. Nothing was changed. Do not repair ` +
        'it in place: repair brings deleted tasks back.',
      flaw,
    )
  }
}

/** The newest first. None if the manifest is missing or damaged: LevelDB refuses it then. */
export async function* tableFiles(store: string): AsyncGenerator<TableFile> {
  let bytesSoFar = 0
  for (const table of (await liveTables(store)) ?? []) {
    const { bytes } = table
    bytesSoFar += bytes
    const path = await pathOf(store, table)
    if (path !== undefined) yield { path, bytes, isVerified: bytesSoFar <= VERIFIED_BYTES_MAX }
  }
}

/**
 * Reads all that LevelDB ever reads of the file. Undefined if it is as LevelDB wrote it. What stands
 * behind that does no harm: a process that ends while a thread finishes a table may write the last
 * bytes twice, for the C library empties its buffers at the exit, beside that thread.
 */
export async function flawOfTable({
  path,
  bytes,
}: TableFile): Promise<LevelFormatError | undefined> {
  const read = new Uint8Array(await readFile(path))
  if (read.length < bytes) {
    return new LevelFormatError(`it has ${read.length} bytes instead of ${bytes}`)
  }
  try {
    checkTable(read.subarray(0, bytes))
    return undefined
  } catch (error) {
    if (error instanceof LevelFormatError) return error
    throw error
  }
}

/** Tables of LevelDB's early versions end otherwise. */
async function pathOf(store: string, { number }: LiveTable): Promise<string | undefined> {
  const name = String(number).padStart(6, '0')
  for (const ending of ['ldb', 'sst']) {
    const path = join(store, `${name}.${ending}`)
    if (await exists(path)) return path
  }
  return undefined
}
