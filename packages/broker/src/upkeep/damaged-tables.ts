// Table files whose blocks, index or filter are not what LevelDB wrote. LevelDB does not look by itself.

import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../storage/durable-file.ts'
import { LevelFormatError } from '../storage/level-bytes.ts'
import { liveTables } from '../storage/level-manifest.ts'
import { VERIFIED_BYTES_MAX } from '../storage/table-verification.ts'
import { checkTable } from '../storage/level-table.ts'

export interface DamagedTable {
  readonly path: string
  readonly what: string
  /** It is one of those that a start reads, and refuses. */
  readonly isVerified: boolean
}

/** Reads all tables that the manifest names. What is missing is LevelDB's to tell. */
export async function damagedTables(store: string): Promise<readonly DamagedTable[]> {
  const damaged: DamagedTable[] = []
  let verifiedBytes = 0
  for (const table of await tablesOf(store)) {
    verifiedBytes += table.bytes
    const path = await pathOf(join(store, String(table.number).padStart(6, '0')))
    if (path === undefined) continue
    const bytes = new Uint8Array(await readFile(path))
    try {
      if (bytes.length !== table.bytes) {
        throw new LevelFormatError(`it has ${bytes.length} bytes instead of ${table.bytes}`)
      }
      checkTable(bytes)
    } catch (error) {
      if (!(error instanceof LevelFormatError)) throw error
      const isVerified = verifiedBytes <= VERIFIED_BYTES_MAX
      damaged.push({ path, what: error.message, isVerified })
    }
  }
  return damaged
}

/** None if the manifest is missing or damaged: LevelDB refuses it then. */
async function tablesOf(
  store: string,
): Promise<NonNullable<Awaited<ReturnType<typeof liveTables>>>> {
  try {
    return (await liveTables(store)) ?? []
  } catch (error) {
    if (error instanceof LevelFormatError || isMissing(error)) return []
    throw error
  }
}

async function pathOf(base: string): Promise<string | undefined> {
  for (const path of [`${base}.ldb`, `${base}.sst`]) {
    try {
      await stat(path)
      return path
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return undefined
}
