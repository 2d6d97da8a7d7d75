// A copy of a store's LevelDB to look into: opening LevelDB always writes, so it never opens the store.

import { constants } from 'node:fs'
import { copyFile, link, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { lockHolder, lockNumber } from '../storage/directory-lock.ts'
import { freeBytes } from '../storage/disk-space.ts'
import { currentStore } from '../storage/dropped-log.ts'
import { errorCode, isMissing } from '../storage/durable-file.ts'
import { refuseInside } from './apart.ts'
import { Refused, refusedBySystem } from './refused.ts'

/** What LevelDB needs while it opens beside the logs themselves: it writes them anew as tables. */
const ROOM_BYTES = 64 * 1024 * 1024

export interface StoreCopy {
  /** LevelDB's files. */
  readonly store: string
  /** Bytes that were copied; the rest is shared with the store. */
  readonly copiedBytes: number
  /** What LevelDB says of the copy, said of the store that it was made of. */
  ofStore(text: string): string
  remove(): Promise<void>
}

/**
 * Copies the LevelDB of a data directory beside it. Tables are never changed once they are written,
 * so they are linked; logs and manifest are copied.
 * @throws {Refused} `locked`, `not-found`, `no-space`.
 */
export async function copyStore(directory: string, options: CopyOptions): Promise<StoreCopy> {
  if (options.workDirectory !== undefined) await refuseInside(options.workDirectory, directory)
  const lockedAs = await lockNumber(directory)
  await refuseUsed(directory, options)
  const source = await currentStore(directory)
  const names = (await namesIn(source, directory)).filter(isNeeded)
  const parent = resolve(options.workDirectory ?? dirname(resolve(directory)))
  const root = await makeRoot(parent)
  const remove = (): Promise<void> => rm(root, { recursive: true, force: true })
  options.onMade?.(root)
  try {
    await refuseWithoutRoom(source, names, root)
    const store = join(root, 'store')
    await mkdir(store, { mode: 0o700 })
    let copiedBytes = 0
    for (const name of names) copiedBytes += await bring(join(source, name), store, name)
    await refuseChanged(directory, lockedAs, options)
    const ofStore = (text: string): string => text.replaceAll(store, source)
    return { store, copiedBytes, ofStore, remove }
  } catch (error) {
    await remove()
    // LevelDB removes and renames files: what is missing now tells of it, and of nothing else.
    if (isMissing(error)) await refuseChanged(directory, lockedAs, options)
    throw error
  }
}

export interface CopyOptions {
  /** Where the copy is made; beside the data directory if left out. */
  readonly workDirectory?: string | undefined
  /** The operator says that no broker of another container has the directory. */
  readonly assumesStopped?: boolean
  /** Told of the directory that is to be removed in the end, whatever happens. */
  readonly onMade?: (root: string) => void
}

async function refuseUsed(directory: string, { assumesStopped }: CopyOptions): Promise<void> {
  const holder = await lockHolder(directory)
  if (holder === undefined || (holder.kind === 'unseen' && assumesStopped === true)) return
  if (holder.kind === 'running') {
    throw new Refused(
      'locked',
      `the data directory ${directory} is in use by process ${holder.pid}. Stop that broker first; ` +
        'a running one is backed up with "tq-admin store backup".',
    )
  }
  throw new Refused(
    'locked',
    `the data directory ${directory} was last used by process ${holder.pid} of another container, ` +
      'which cannot be seen from here. If that container has stopped, add --assume-stopped.',
  )
}

/** A broker that was started meanwhile has changed files under our hands, also if it has stopped. */
async function refuseChanged(
  directory: string,
  lockedAs: number,
  options: CopyOptions,
): Promise<void> {
  await refuseUsed(directory, options)
  if ((await lockNumber(directory)) === lockedAs) return
  throw new Refused(
    'locked',
    `a broker was started on the data directory ${directory} while it was copied, and has stopped ` +
      'since. Keep it stopped, and do this again.',
  )
}

/** Only its owner may look into it. */
async function makeRoot(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'tq-copy-'))
  } catch (error) {
    const { code, message } = refusedBySystem(error)
    const advice = 'The copy is made beside the data directory: name another place with --work-dir.'
    throw new Refused(code, `no copy can be made in ${parent}. ${message} ${advice}`)
  }
}

async function namesIn(source: string, directory: string): Promise<readonly string[]> {
  try {
    return await readdir(source)
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new Refused(
      'not-found',
      `${source} does not exist: ${directory} is not the data directory of a broker. It is named ` +
        'by dataDir in the configuration.',
    )
  }
}

/** LOCK is never touched: reading it could take it from whoever has it. LOG is for people. */
function isNeeded(name: string): boolean {
  return /\.(ldb|sst|log)$/.test(name) || name.startsWith('MANIFEST-') || name === 'CURRENT'
}

/**
 * A linked table gets the old ending: LevelDB finds a table under either, but writes new ones only
 * under `.ldb`. With a damaged manifest it may give a number a second time, and would then write
 * into the store's own file.
 */
async function bring(path: string, store: string, name: string): Promise<number> {
  if (!isTable(name)) {
    await copyFile(path, join(store, name), constants.COPYFILE_FICLONE)
    return (await stat(path)).size
  }
  const target = join(store, name.replace(/\.ldb$/, '.sst'))
  try {
    await link(path, target)
    return 0
  } catch (error) {
    if (!CANNOT_LINK.has(errorCode(error) ?? '')) throw error
    await copyFile(path, target, constants.COPYFILE_FICLONE)
    return (await stat(path)).size
  }
}

const CANNOT_LINK: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS'])

function isTable(name: string): boolean {
  return name.endsWith('.ldb') || name.endsWith('.sst')
}

async function refuseWithoutRoom(
  source: string,
  names: readonly string[],
  root: string,
): Promise<void> {
  const [from, to] = [await stat(source), await stat(root)]
  let neededBytes = ROOM_BYTES
  for (const name of names) {
    const { size } = await stat(join(source, name))
    if (!isTable(name)) neededBytes += 2 * size
    else if (from.dev !== to.dev) neededBytes += size
  }
  const roomBytes = await freeBytes(root)
  if (roomBytes >= neededBytes) return
  throw new Refused(
    'no-space',
    `the copy needs about ${mib(neededBytes)} MiB in ${dirname(root)}, and ${mib(roomBytes)} MiB are ` +
      'free. Free some, or name another place with --work-dir.',
  )
}

function mib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
