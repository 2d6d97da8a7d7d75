// The files that the demonstration works on: what a person wrote, not what tools made.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git', '.tools'])

export interface InputFile {
  readonly path: string
  readonly bytes: number
}

/** Every ordinary file under these folders, in the order of their names. */
export async function filesUnder(folders: readonly string[]): Promise<InputFile[]> {
  const found: InputFile[] = []
  for (const folder of folders) await collect(folder, found)
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function collect(folder: string, found: InputFile[]): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await collect(path, found)
    else if (entry.isFile()) found.push({ path, bytes: (await stat(path)).size })
  }
}
