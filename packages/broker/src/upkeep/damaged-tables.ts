// Table files whose blocks, index or filter are not what LevelDB wrote. LevelDB does not look by itself.

import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../storage/durable-file.ts'
import { LevelFormatError } from '../storage/level-bytes.ts'
import { liveTables } from '../storage/level-manifest.ts'
import { checkTable } from '../storage/level-table.ts'

export interface DamagedTable {
  readonly path: string
  readonly what: string
}

/** Reads all tables that the manifest names. What is missing is LevelDB's to tell. */
export async function damagedTables(store: string): Promise<readonly DamagedTable[]> {
  const damaged: DamagedTable[] = []
  for (const table of await tablesOf(store)) {
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
      damaged.push({ path, what: error.message })
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
