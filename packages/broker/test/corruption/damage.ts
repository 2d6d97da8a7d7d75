// What may happen to a sector of a disk, to each sector of each file of a data directory.

import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SeededRandom } from '../simulation/seeded-random.ts'

/** The smallest unit that disks write, and lose. */
const SECTOR_BYTES = 512

export const DAMAGE_KINDS = ['flip', 'zero', 'random', 'truncate'] as const
export type DamageKind = (typeof DAMAGE_KINDS)[number]

export interface Damage {
  readonly kind: DamageKind
  /** Path of the file within the data directory. */
  readonly file: string
  readonly sector: number
}

/** Every damage that a data directory can suffer, file by file. */
export async function allDamages(directory: string): Promise<Damage[]> {
  const damages: Damage[] = []
  for (const file of (await filesBelow(directory)).toSorted()) {
    const { size } = await stat(join(directory, file))
    for (let sector = 0; sector * SECTOR_BYTES < size; sector += 1) {
      for (const kind of DAMAGE_KINDS) damages.push({ kind, file, sector })
    }
  }
  return damages
}

export function nameOf({ kind, file, sector }: Damage): string {
  return `${kind}:${file}:${sector}`
}

/** Does the damage. False if it changes nothing, as zeros over zeros. */
export async function damage(directory: string, what: Damage, seed: number): Promise<boolean> {
  const path = join(directory, what.file)
  const before = await readFile(path)
  const after = damaged(before, what, new SeededRandom(seed, nameOf(what)))
  if (Buffer.compare(before, after) === 0) return false
  await writeFile(path, after)
  return true
}

function damaged(before: Buffer, { kind, sector }: Damage, random: SeededRandom): Buffer {
  const start = sector * SECTOR_BYTES
  if (kind === 'truncate') return before.subarray(0, start)
  const after = Buffer.from(before)
  const hit = after.subarray(start, start + SECTOR_BYTES)
  if (kind === 'zero') hit.fill(0)
  if (kind === 'random') random.fill(hit)
  if (kind === 'flip') {
    const at = random.between(0, hit.length - 1)
    hit[at] = (hit[at] as number) ^ (1 << random.between(0, 7))
  }
  return after
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
}
