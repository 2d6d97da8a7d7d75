// The source files of the repository, as tests of the code itself read them.

import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { ROOT } from './repository.ts'

export interface SourceFile {
  /** Path from the root of the repository. */
  readonly path: string
  readonly text: string
}

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git', '.tools', '.tq'])

/** All files below a folder whose names end so. */
export async function filesBelow(
  folder: string,
  endings: readonly string[],
): Promise<SourceFile[]> {
  const paths = (await pathsBelow(join(ROOT, folder))).filter((path) =>
    endings.some((ending) => path.endsWith(ending)),
  )
  return Promise.all(
    paths.map(async (path) => ({ path: relative(ROOT, path), text: await readFile(path, 'utf8') })),
  )
}

/** Everything that is TypeScript in the packages. */
export function sourceFiles(): Promise<SourceFile[]> {
  return filesBelow('packages', ['.ts', '.cts'])
}

async function pathsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const paths: string[] = []
  for (const entry of entries) {
    if (SKIPPED.has(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) paths.push(...(await pathsBelow(path)))
    else paths.push(path)
  }
  return paths.sort()
}
