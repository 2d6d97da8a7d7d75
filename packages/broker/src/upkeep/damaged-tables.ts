// Table files whose blocks, index or filter are not what LevelDB wrote. LevelDB does not look by itself.

import { flawOfTable, tableFiles } from '../storage/table-verification.ts'

export interface DamagedTable {
  readonly path: string
  readonly what: string
  /** It is one of those that a start reads, and refuses. */
  readonly isVerified: boolean
}

/** Reads all tables that the manifest names. What is missing is LevelDB's to tell. */
export async function damagedTables(store: string): Promise<readonly DamagedTable[]> {
  const damaged: DamagedTable[] = []
  for await (const file of tableFiles(store)) {
    const { path, isVerified } = file
    const flaw = await flawOfTable(file)
    if (flaw !== undefined) damaged.push({ path, what: flaw.message, isVerified })
  }
  return damaged
}
