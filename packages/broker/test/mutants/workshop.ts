// A copy of the source in which bugs are planted one after the other; the source itself stays clean.

import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Edit, plant, type PlantedBug } from './planted-bug.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const COPIED = ['packages', 'docs', 'package.json', 'tsconfig.json', 'config.example.yml']

export class Workshop {
  readonly directory: string

  private constructor(directory: string) {
    this.directory = directory
  }

  /** Links between the packages are relative, so they stay within the copy. */
  static async make(): Promise<Workshop> {
    const directory = await mkdtemp(join(tmpdir(), 'tq-mutants-'))
    for (const name of COPIED) {
      await cp(join(ROOT, name), join(directory, name), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => basename(path) !== 'dist',
      }).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      })
    }
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
    return new Workshop(directory)
  }

  /** Plants a bug. @returns What takes it out again. */
  async plant(bug: PlantedBug): Promise<() => Promise<void>> {
    const before = new Map<string, string>()
    for (const edit of bug.edits) {
      const path = this.#path(edit)
      const source = await readFile(path, 'utf8')
      if (!before.has(path)) before.set(path, source)
      await writeFile(path, plant(source, edit))
    }
    return async () => {
      for (const [path, source] of before) await writeFile(path, source)
    }
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }

  #path({ file }: Edit): string {
    return join(this.directory, 'packages/broker/src', file)
  }
}

/** The source that a bug is planted in, as it stands in the repository. */
export async function sourceOf(edit: Edit): Promise<string> {
  return readFile(join(ROOT, 'packages/broker/src', edit.file), 'utf8')
}
