// The directory that a restore or a salvage fills: marked first of all, so that a broker that is
// started on it, whenever this is cut off, refuses it instead of making an empty store there.

import { link, mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { errorCode, exists, isMissing, syncDirectory } from '../storage/durable-file.ts'
import {
  markUnfinished,
  readUnfinished,
  type Unfinished,
  unfinishedText,
} from '../storage/identity.ts'
import { Refused } from './refused.ts'

export class NewDirectory {
  readonly path: string
  /** Directories that were made for it, the innermost first. */
  readonly #made: readonly string[]

  /** @throws {Refused} `occupied` if something is in it. */
  static async mark(path: string, unfinished: Unfinished): Promise<NewDirectory> {
    await refuseOccupied(path)
    const parent = dirname(resolve(path))
    const outermost = await mkdir(parent, { recursive: true, mode: 0o700 })
    if (outermost !== undefined) await syncDirectory(dirname(outermost))
    const parents = outermost === undefined ? [] : between(parent, resolve(outermost))
    const isNew = !(await exists(path))
    await markAtOnce(path, unfinished, isNew).catch((error: unknown) => {
      if (TAKEN.has(errorCode(error) ?? '')) throw occupied(path, ['identity'])
      throw error
    })
    return new NewDirectory(path, isNew ? [path, ...parents] : parents)
  }

  /**
   * Takes over what an earlier try of the same has left, and empties it; else as `mark`.
   * @throws {Refused} `occupied` if anything else is in it.
   */
  static async markAgain(path: string, unfinished: Unfinished): Promise<NewDirectory> {
    const earlier = await readUnfinished(path)
    if (earlier?.state !== unfinished.state || earlier.from !== unfinished.from) {
      return NewDirectory.mark(path, unfinished)
    }
    for (const name of await readdir(path)) {
      if (name !== 'identity') await rm(join(path, name), { recursive: true, force: true })
    }
    return new NewDirectory(path, [])
  }

  private constructor(path: string, made: readonly string[]) {
    this.path = path
    this.#made = made
  }

  /** As if nothing had been asked, if nothing was written; else it stays marked. */
  async unmark(): Promise<void> {
    const names = await readdir(this.path)
    if (names.some((name) => name !== 'identity')) return
    await rm(join(this.path, 'identity'), { force: true })
    for (const path of this.#made) await rmdir(path)
  }
}

/** @throws {Refused} `unsound` if a restore or salvage into it was cut off: there is no store. */
export async function refuseUnfinished(directory: string): Promise<void> {
  const unfinished = await readUnfinished(directory)
  if (unfinished !== undefined) throw new Refused('unsound', unfinishedText(directory, unfinished))
}

/** Somebody else has put something there meanwhile. */
const TAKEN: ReadonlySet<string> = new Set(['EEXIST', 'ENOTEMPTY'])
/** The directory is on another disk than the one around it, or that one may not be written to. */
const APART: ReadonlySet<string> = new Set(['EXDEV', 'EACCES', 'EPERM', 'EROFS', 'ENOTSUP'])

/**
 * The mark is written and synced beside the directory, so that this has it as soon as it has anything: a
 * kill leaves it unmarked and as it was, or marked.
 */
async function markAtOnce(path: string, unfinished: Unfinished, isNew: boolean): Promise<void> {
  const parent = dirname(resolve(path))
  let aside: string | undefined
  try {
    aside = await mkdtemp(join(parent, '.tq-new-'))
    await markUnfinished(aside, unfinished)
    if (isNew) await rename(aside, path)
    else await link(join(aside, 'identity'), join(path, 'identity'))
    await syncDirectory(isNew ? parent : path)
  } catch (error) {
    if (isNew || !APART.has(errorCode(error) ?? '')) throw error
    await markUnfinished(path, unfinished)
  } finally {
    if (aside !== undefined) await rm(aside, { recursive: true, force: true })
  }
}

async function refuseOccupied(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return []
    if (errorCode(error) === 'ENOTDIR') return [directory]
    throw error
  })
  if (names.length === 0) return
  const unfinished = await readUnfinished(directory).catch(() => undefined)
  if (unfinished === undefined) throw occupied(directory, names)
  throw new Refused('occupied', unfinishedText(directory, unfinished))
}

function occupied(directory: string, names: readonly string[]): Refused {
  return new Refused(
    'occupied',
    `${directory} is not empty (${names.slice(0, 3).join(', ')}). Name a directory that is empty or ` +
      'does not exist: nothing is ever written over.',
  )
}

/** The inner directory and those around it, up to the outer one. */
function between(inner: string, outer: string): readonly string[] {
  const paths = [inner]
  for (let path = inner; path !== outer; path = dirname(path)) paths.push(dirname(path))
  return paths
}
