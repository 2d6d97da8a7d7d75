// What LevelDB drops from its log while it recovers: noticed, kept as evidence, and refused.

import { link, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, syncDirectory } from './durable-file.ts'
import { StoreError } from './port.ts'

/** Most lines of LevelDB's own words in a refusal. */
const LINES_MAX = 5
/** LevelDB recovers before it does anything else; the rest of LOG may be gigabytes. */
const LOG_BYTES_MAX = 1024 * 1024
/** Written while LevelDB opens, and at no other time. */
const DROPPED = /: dropping \d+ bytes; |Ignoring error /

/**
 * LevelDB goes on without the records that it cannot read, says so only in its file LOG, and then
 * deletes the log that held them; the next open would find nothing wrong. So the logs are linked
 * aside before it opens, and where it has dropped something they are kept in `damaged`, which
 * keeps the store closed until a person has decided.
 * @throws {StoreError} CORRUPT if an earlier open dropped something.
 */
export async function keepLogs(directory: string): Promise<void> {
  const earlier = await droppedLines(join(directory, 'damaged', 'LOG'))
  if (earlier.length > 0) throw refusal(directory, earlier)
  // From an open that ended before it could act on what LevelDB said.
  await refuseDropped(directory)
  const aside = join(directory, 'recovering')
  await rm(aside, { recursive: true, force: true })
  await mkdir(aside, { mode: 0o700 })
  const store = join(directory, 'store')
  for (const name of await readdir(store)) {
    if (name.endsWith('.log')) await link(join(store, name), join(aside, name))
  }
}

/**
 * To be called as soon as LevelDB has opened.
 * @throws {StoreError} CORRUPT if it has dropped something.
 */
export async function checkLogs(directory: string): Promise<void> {
  await refuseDropped(directory)
  await rm(join(directory, 'recovering'), { recursive: true, force: true })
}

/** LOG is moved last: until then each start finds it, and comes here again. */
async function refuseDropped(directory: string): Promise<void> {
  const log = join(directory, 'store', 'LOG')
  const lines = await droppedLines(log)
  if (lines.length === 0) return
  const damaged = join(directory, 'damaged')
  // There is nothing aside if an earlier try came this far. The refusal does not depend on it.
  await rename(join(directory, 'recovering'), damaged).catch(() => {})
  await mkdir(damaged, { recursive: true, mode: 0o700 })
  await rename(log, join(damaged, 'LOG'))
  await syncDirectory(damaged)
  await syncDirectory(directory)
  throw refusal(directory, lines)
}

/** What LevelDB says in its file LOG that it left out, line by line. */
export async function droppedLines(path: string): Promise<string[]> {
  const lines = (await beginningOf(path)).split('\n')
  return lines.filter((line) => DROPPED.test(line))
}

/** Empty if there is no such file. */
async function beginningOf(path: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(LOG_BYTES_MAX),
        0,
        LOG_BYTES_MAX,
        0,
      )
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isMissing(error)) return ''
    throw error
  }
}

function refusal(directory: string, lines: readonly string[]): StoreError {
  const damaged = join(directory, 'damaged')
  const said = lines.slice(0, LINES_MAX).join(' | ')
  return new StoreError(
    'CORRUPT',
    `LevelDB dropped damaged records of its log, so commits are lost: "${said}". The logs as ` +
      `they were are in ${damaged}. Restore the data directory from a backup; or, to go on with ` +
      `what is left and accept the loss, delete ${damaged} and ${join(directory, 'high-water')}.`,
  )
}
