// How a data directory becomes an open store, step by step; or why it does not.

import type { Random, Scheduler } from '@tq/core'
import { ClassicLevel } from 'classic-level'
import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DirectoryLock } from './directory-lock.ts'
import { checkLogs, keepLogs, settleOpening } from './dropped-log.ts'
import { errorCode, exists, isMissing, syncDirectory } from './durable-file.ts'
import { refuseNetworkFilesystem } from './filesystem.ts'
import { newIdentity, readIdentity, writeIdentity, type Identity } from './identity.ts'
import { levelOptions, type LevelTuning } from './level-options.ts'
import { lostFile } from './level-manifest.ts'
import { StoreError } from './port.ts'
import { verifyTables } from './table-verification.ts'
import { verifyStore, type Level, type VerifiedStore } from './store-verification.ts'

export type OpeningStep = 'lock' | 'open' | 'verify'

export interface OpeningOptions {
  readonly directory: string
  readonly allowAnyFilesystem: boolean
  readonly tuning: LevelTuning | undefined
  readonly scheduler: Scheduler
  readonly random: Random
  /** Awaited before each step; from `open` on, the data directory is locked. */
  readonly onStep: (step: OpeningStep) => void | Promise<void>
  /** Awaited when the opening fails, while the data directory is still locked. */
  readonly onRefused: () => Promise<void>
  /** The high-water mark could not be made durable. */
  readonly onMarkFailure: (error: unknown) => void
}

export interface OpenedDirectory extends VerifiedStore {
  readonly level: Level
  readonly lock: DirectoryLock
}

/** @throws {StoreError} Nothing is left open then, and the lock is free. */
export async function openDirectory(options: OpeningOptions): Promise<OpenedDirectory> {
  const { directory } = options
  await options.onStep('lock')
  await makeDirectory(directory)
  await refuseFilesystem(options)
  const lock = new DirectoryLock(directory, options.random)
  await lock.acquire()
  try {
    return { ...(await openLocked(options)), lock }
  } catch (error) {
    // Why it failed is the reason, whatever else does.
    await options.onRefused().catch(() => undefined)
    await lock.release()
    throw error
  }
}

async function makeDirectory(directory: string): Promise<void> {
  const missing: string[] = []
  for (let path = resolve(directory); !(await exists(path)); path = dirname(path)) {
    missing.unshift(path)
  }
  // Step by step: where no directory can be made, as in /proc, Node's recursive mkdir never ends.
  for (const path of missing) await makeOne(directory, path)
  // What is synced within a directory helps little while its own name is not.
  if (missing[0] !== undefined) await syncDirectory(dirname(missing[0]))
}

async function makeOne(directory: string, path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const code = errorCode(error)
    // Another broker may be starting beside this one; the lock decides between them.
    if (code === 'EEXIST') return
    throw new StoreError(
      'IO',
      `the data directory ${directory} cannot be made: the system answers ${code} to making ` +
        `${path}. Choose a directory on a local disk that this user may write to.`,
      error,
    )
  }
}

async function refuseFilesystem(options: OpeningOptions): Promise<void> {
  if (!options.allowAnyFilesystem) await refuseNetworkFilesystem(options.directory)
}

type Opened = Omit<OpenedDirectory, 'lock'>

async function openLocked(options: OpeningOptions): Promise<Opened> {
  const { directory } = options
  await options.onStep('open')
  await settleOpening(directory)
  const identity = (await readIdentity(directory)) ?? (await initialise(options))
  await refuseMissing(directory, identity)
  await verifyTables(directory)
  await keepLogs(directory)
  const level = await openLevel(options, identity).catch(async (error: unknown) => {
    await settleIfPossible(directory)
    throw error
  })
  try {
    await checkLogs(directory)
    // LevelDB syncs its files, but not the name of each of them.
    await syncDirectory(join(directory, 'store'))
    await options.onStep('verify')
    return { ...(await verifyStore(level, identity, options)), level }
  } catch (error) {
    await level.close()
    await settleIfPossible(directory)
    throw errorCode(error) === 'LEVEL_CORRUPTION' ? levelRefusal(directory, error) : error
  }
}

/** What is not settled now, the next start settles. */
async function settleIfPossible(directory: string): Promise<void> {
  await settleOpening(directory).catch(() => {})
}

/** The identity is durable before LevelDB makes its first file. */
async function initialise(options: OpeningOptions): Promise<Identity> {
  const store = join(options.directory, 'store')
  await mkdir(store, { recursive: true, mode: 0o700 })
  if ((await readdir(store)).length > 0) {
    throw new StoreError(
      'CORRUPT',
      `${store} holds files, but ${join(options.directory, 'identity')} is missing. To begin with ` +
        'an empty store, move the whole directory away.',
    )
  }
  const identity = newIdentity(options.random)
  await writeIdentity(options.directory, identity)
  return identity
}

/** LevelDB would make an empty store without a word, and delete the tables of the old one. */
async function refuseMissing(directory: string, identity: Identity): Promise<void> {
  if (identity.state === 'creating') return
  const store = join(directory, 'store')
  const names = await readdir(store).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  if (!names.some((name) => OF_A_DATABASE.test(name))) {
    throw new StoreError(
      'MISSING',
      `${store} holds no database, though ${directory} was initialised; no empty one is put in its ` +
        'place. Mount what was there, or restore a backup into another directory: "tq-admin store ' +
        'restore FILE --to NEWDIR". To begin anew, move the whole directory away.',
    )
  }
  const lost = await lostFile(store)
  if (lost !== undefined) {
    throw new StoreError('CORRUPT', `${lost}, and LevelDB finds its other files by it.`)
  }
}

const OF_A_DATABASE = /^CURRENT$|^MANIFEST-|\.(ldb|sst|log)$/

async function openLevel(options: OpeningOptions, identity: Identity): Promise<Level> {
  const { directory, tuning } = options
  const level: Level = new ClassicLevel(join(directory, 'store'), {
    ...levelOptions(tuning),
    createIfMissing: identity.state === 'creating',
  })
  try {
    await level.open()
    return level
  } catch (error) {
    throw levelRefusal(directory, error)
  }
}

function levelRefusal(directory: string, error: unknown): StoreError {
  // abstract-level wraps what LevelDB said.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const said = cause instanceof Error ? cause.message : String(cause)
  const code = errorCode(cause)
  if (code === 'LEVEL_LOCKED') {
    return new StoreError(
      'LOCKED',
      `the store in ${directory} is in use by another process that cannot be seen from here, ` +
        'perhaps in another container. Stop that one first.',
      error,
    )
  }
  if (code === 'LEVEL_CORRUPTION') {
    return new StoreError(
      'CORRUPT',
      `LevelDB refuses the store in ${directory}: ${said}. Do not repair it in place: repair ` +
        'brings deleted tasks back.',
      error,
    )
  }
  return new StoreError('IO', `LevelDB cannot open the store in ${directory}: ${said}`, error)
}
