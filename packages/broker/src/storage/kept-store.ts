// The store as it stood before LevelDB opened it, so that an opening that read badly can be undone.

import { link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, isMissing, syncDirectory } from './durable-file.ts'

/** LevelDB's own lock and its words for people: of the process that has it, not of the store. */
const OF_THE_PROCESS: ReadonlySet<string> = new Set(['LOCK', 'LOG', 'LOG.old'])

/**
 * Links, and whole as soon as it has this name. LevelDB writes no file of the store a second time:
 * an opening makes a new log and a new manifest, and puts another file in the place of CURRENT.
 */
const KEPT = 'opening'
/** The same while it is made. */
const MAKING = 'opening.new'
/** The same once it is decided that it takes the place of the store. */
const UNDOING = 'undoing'
/** What has no more use, on its way out. */
const LEAVING = 'leaving'

/** To be called right before LevelDB opens. */
export async function keepStore(directory: string): Promise<void> {
  const making = join(directory, MAKING)
  await rm(making, { recursive: true, force: true })
  await mkdir(making, { mode: 0o700 })
  const store = join(directory, 'store')
  for (const name of await readdir(store)) {
    if (!OF_THE_PROCESS.has(name)) await link(join(store, name), join(making, name))
  }
  await syncDirectory(making)
  await rename(making, join(directory, KEPT))
  await syncDirectory(directory)
}

/**
 * The opening stands.
 * @throws an error with code ENOENT if another process has undone it.
 */
export async function dropKept(directory: string): Promise<void> {
  await rm(join(directory, LEAVING), { recursive: true, force: true })
  await rename(join(directory, KEPT), join(directory, LEAVING))
  await syncDirectory(directory)
  await rm(join(directory, LEAVING), { recursive: true, force: true })
}

/** The store is as it was before LevelDB opened it; nobody may have it open. */
export async function putBack(directory: string): Promise<void> {
  await rename(join(directory, KEPT), join(directory, UNDOING))
  await syncDirectory(directory)
  await finishPutBack(directory)
}

/** True if an opening was cut off before it stood. */
export function isKept(directory: string): Promise<boolean> {
  return exists(join(directory, KEPT))
}

/** Goes on with what a start was doing when it was cut off, up to where `isKept` tells the rest. */
export async function finishPutBack(directory: string): Promise<void> {
  const store = join(directory, 'store')
  const leaving = join(directory, LEAVING)
  if (await exists(join(directory, UNDOING))) {
    if (await exists(store)) {
      await rm(leaving, { recursive: true, force: true })
      await rename(store, leaving)
      await syncDirectory(directory)
    }
    await rename(join(directory, UNDOING), store)
    await syncDirectory(directory)
  }
  await rm(leaving, { recursive: true, force: true })
  await rm(join(directory, MAKING), { recursive: true, force: true })
}

/** The logs of the store as it was, each under its own name in this folder. */
export async function moveKeptLogs(directory: string, to: string): Promise<void> {
  const kept = join(directory, KEPT)
  const names = await readdir(kept).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  for (const name of names) {
    if (name.endsWith('.log')) await rename(join(kept, name), join(to, name))
  }
}

/** Where the store stands for the next start, given what LevelDB left out when it last opened. */
export async function storeFolder(directory: string, isUnread: boolean): Promise<string> {
  const undoing = join(directory, UNDOING)
  if (await exists(undoing)) return undoing
  return join(directory, isUnread && (await isKept(directory)) ? KEPT : 'store')
}
