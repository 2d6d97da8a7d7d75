// The store that is damaged again and again: built by the load, each generation ended by a kill.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Workshop } from './child.ts'
import { GENERATIONS, type Promised } from './load.ts'
import { markedLsnOf } from './marked-lsn.ts'

export interface UndamagedStore {
  readonly dataDir: string
  readonly ledgerPath: string
  readonly promised: readonly Promised[]
  /** The newest commit that the high-water mark knows. */
  readonly markedLsn: number
}

export async function buildStore(workshop: Workshop): Promise<UndamagedStore> {
  const dataDir = join(workshop.root, 'data')
  const ledgerPath = join(workshop.root, 'ledger.json')
  await writeFile(ledgerPath, '[]')
  for (let generation = 1; generation <= GENERATIONS; generation += 1) {
    await workshop.load(dataDir, ledgerPath, generation)
  }
  const promised = JSON.parse(await readFile(ledgerPath, 'utf8')) as Promised[]
  return { dataDir, ledgerPath, promised, markedLsn: markedLsnOf(dataDir) }
}
