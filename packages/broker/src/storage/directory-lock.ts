// The broker's own lock on its data directory: one process at a time, and none after its death.

import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { invariant, type Random } from '@tq/core'
import { errorCode, isMissing } from './durable-file.ts'
import { StoreError } from './port.ts'
import { isElsewhere, isRunning, thisProcess, type ProcessIdentity } from './process-identity.ts'

/** Tries to become the next holder. Each lost one means that another process has won. */
const TRIES_MAX = 1_000
const RELEASED = '{}\n'

/**
 * LevelDB has a lock, but loses it when any descriptor of its LOCK file is closed in the process,
 * and its children inherit it. This one stands beside it, in the directory `lock`.
 *
 * Holders are numbered. The holder is whoever wrote the highest number; whoever finds that holder
 * gone makes the next number, which only one can (link(2) refuses a name that is taken). The
 * highest is never removed, released or not, so nobody can mistake a lock just taken for the one
 * they saw. Replacing one file instead would let a slow taker move a fast one's lock away.
 */
export class DirectoryLock {
  readonly #dataDirectory: string
  readonly #directory: string
  readonly #random: Random
  #heldPath: string | undefined

  constructor(dataDirectory: string, random: Random) {
    this.#dataDirectory = dataDirectory
    this.#directory = join(dataDirectory, 'lock')
    this.#random = random
  }

  /** @throws {StoreError} LOCKED, with the pid of the holder. */
  async acquire(): Promise<void> {
    invariant(this.#heldPath === undefined, 'a lock is taken once')
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const self = await thisProcess()
    const aside = await this.#writeAside(`${JSON.stringify(self)}\n`)
    try {
      await this.#takeNextNumber(aside)
    } finally {
      await rm(aside, { force: true })
    }
  }

  /** Safe before acquire, safe twice, and after the directory has gone. */
  async release(): Promise<void> {
    const path = this.#heldPath
    this.#heldPath = undefined
    if (path === undefined) return
    try {
      await rename(await this.#writeAside(RELEASED), path)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  async #takeNextNumber(aside: string): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const last = (await this.#numbers()).at(-1) ?? 0
      const holder = await this.#holderOf(last)
      if (holder !== undefined && (await isRunning(holder))) throw this.#locked(holder)
      const path = this.#pathOf(last + 1)
      if (!(await linkIfFree(aside, path))) continue
      // What was the last when we looked may have been overtaken before our number was made.
      const numbers = await this.#numbers()
      if (numbers.at(-1) === last + 1) {
        this.#heldPath = path
        return this.#removeOld(numbers)
      }
      await rm(path, { force: true })
    }
    throw new StoreError(
      'LOCKED',
      `the data directory ${this.#dataDirectory} is fought over by several processes; start one.`,
    )
  }

  /** The number before ours stays: others may be about to try for the one after it. */
  async #removeOld(numbers: readonly number[]): Promise<void> {
    for (const number of numbers.slice(0, -2)) await rm(this.#pathOf(number), { force: true })
  }

  #numbers(): Promise<number[]> {
    return numbersIn(this.#directory)
  }

  #holderOf(number: number): Promise<ProcessIdentity | undefined> {
    return holderIn(this.#pathOf(number))
  }

  async #writeAside(text: string): Promise<string> {
    const tag = new Uint8Array(8)
    this.#random.fill(tag)
    const path = join(this.#directory, `aside-${Buffer.from(tag).toString('hex')}`)
    await writeFile(path, text, { flag: 'wx', mode: 0o600 })
    return path
  }

  #pathOf(number: number): string {
    return join(this.#directory, String(number))
  }

  #locked(holder: ProcessIdentity): StoreError {
    return new StoreError(
      'LOCKED',
      `the data directory ${this.#dataDirectory} is in use by process ${holder.pid}. ` +
        'Stop that one first, or give this one another data directory.',
    )
  }
}

/** Who has a data directory, as far as it can be told without taking part. Nothing is written. */
export async function lockHolder(
  dataDirectory: string,
): Promise<{ readonly pid: number; readonly kind: 'running' | 'unseen' } | undefined> {
  const directory = join(dataDirectory, 'lock')
  const last = (await numbersIn(directory)).at(-1)
  const holder = last === undefined ? undefined : await holderIn(join(directory, String(last)))
  if (holder === undefined) return undefined
  if (await isRunning(holder)) return { pid: holder.pid, kind: 'running' }
  return (await isElsewhere(holder)) ? { pid: holder.pid, kind: 'unseen' } : undefined
}

/** Grows with each process that takes the directory, also if it has given it back since. */
export async function lockNumber(dataDirectory: string): Promise<number> {
  return (await numbersIn(join(dataDirectory, 'lock'))).at(-1) ?? 0
}

/** Numbers of locks, smallest first; none if there is no such directory. */
async function numbersIn(directory: string): Promise<number[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  const numbers = names.filter((name) => /^\d+$/.test(name)).map(Number)
  return numbers.sort((one, other) => one - other)
}

/**
 * Undefined if the lock was released, if there is none, or if it cannot be read: locks appear
 * complete, so only a power cut leaves such a one, and no process survives that.
 */
async function holderIn(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return parseHolder(await readFile(path, 'utf8'))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

function parseHolder(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime, bootId, pidNamespace } = JSON.parse(text) as Record<string, unknown>
    if (typeof pid !== 'number' || typeof startTime !== 'string') return undefined
    if (typeof bootId !== 'string' || typeof pidNamespace !== 'string') return undefined
    return { pid, startTime, bootId, pidNamespace }
  } catch {
    return undefined
  }
}
