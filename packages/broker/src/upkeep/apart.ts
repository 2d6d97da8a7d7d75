// What is written must stand outside of data directories: a store is never changed by looking at it.

import { realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { errorCode, exists, isMissing } from '../storage/durable-file.ts'
import { Refused } from './refused.ts'

/**
 * @param target What will be written: a file or a directory, there or not.
 * @param source The data directory that is read.
 * @throws {Refused} `usage` if the target is within it, by whatever links.
 */
export async function refuseInside(target: string, source: string): Promise<void> {
  const way = relative(await realPathOf(source), await realPathOf(target))
  if (way === '..' || way.startsWith(`..${sep}`)) return
  throw isStore(source)
}

/** @throws {Refused} `usage` if it would be written into a data directory, whosever it is. */
export async function refuseInStore(target: string): Promise<void> {
  for (let path = dirname(await realPathOf(target)); ; path = dirname(path)) {
    if (await isDataDirectory(path)) {
      throw isStore(path)
    }
    if (path === dirname(path)) return
  }
}

/** Without the name of what would be written, which may be one that nobody has chosen. */
function isStore(directory: string): Refused {
  return new Refused(
    'usage',
    `that would be written into ${directory}, which is a data directory. Name a place beside it.`,
  )
}

async function isDataDirectory(path: string): Promise<boolean> {
  return (await isSeen(join(path, 'identity'))) && (await isSeen(join(path, 'store')))
}

/** Without links, as far as it exists. */
async function realPathOf(path: string): Promise<string> {
  const absolute = resolve(path)
  try {
    return await realpath(absolute)
  } catch (error) {
    // Where there is a file in the way, what is to be made says so.
    const isNone = isMissing(error) || errorCode(error) === 'ENOTDIR'
    if (!isNone || absolute === dirname(absolute)) throw error
    return join(await realPathOf(dirname(absolute)), basename(absolute))
  }
}

/** Who may not look into a directory does not write there either. */
async function isSeen(path: string): Promise<boolean> {
  return await exists(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOTDIR' || errorCode(error) === 'EACCES') return false
    throw error
  })
}
