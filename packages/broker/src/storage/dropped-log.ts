// What LevelDB leaves out of its log while it recovers: noticed, undone or kept as evidence, refused.

import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, syncDirectory } from './durable-file.ts'
import {
  dropKept,
  finishPutBack,
  isKept,
  keepStore,
  moveKeptLogs,
  putBack,
  storeFolder,
} from './kept-store.ts'
import { StoreError } from './port.ts'

/** Most lines of LevelDB's own words in a refusal. */
const LINES_MAX = 5
/** LevelDB recovers before it does anything else; the rest of LOG may be gigabytes. */
const LOG_BYTES_MAX = 1024 * 1024
/** Written while LevelDB opens, and at no other time. */
const DROPPED = /: dropping \d+ bytes; |Ignoring error /
/** What the system would not read, or open; the bytes themselves may be whole. */
const UNREAD = /(?:; |Ignoring error )IO error: /

/**
 * To be called first of all: an opening that was cut off is undone, if it had left out what the
 * system would not read, or else it stands.
 */
export async function settleOpening(directory: string): Promise<void> {
  await finishPutBack(directory)
  if (!(await isKept(directory))) return
  const lines = await droppedLines(join(directory, 'store', 'LOG'))
  if (lines.some(isUnread)) await putBack(directory)
  // Of what is damaged, the logs are moved from there first.
  else if (lines.length === 0) await dropKept(directory)
}

/**
 * LevelDB goes on without the records that it cannot read, says so only in its file LOG, and then
 * deletes the log that held them; the next open would find nothing wrong. So the store is linked
 * aside before it opens. Where it has dropped what is damaged, the logs are kept in `damaged`,
 * which keeps the store closed until a person has decided.
 * @throws {StoreError} CORRUPT if an earlier open dropped something.
 */
export async function keepLogs(directory: string): Promise<void> {
  const earlier = await droppedLines(join(directory, 'damaged', 'LOG'))
  if (earlier.length > 0) throw refusal(directory, earlier)
  // From an open that ended before it could act on what LevelDB said.
  const lines = await droppedLines(join(directory, 'store', 'LOG'))
  if (lines.length > 0) await refuseDropped(directory, lines)
  await keepStore(directory)
}

/**
 * To be called as soon as LevelDB has opened.
 * @throws {StoreError} CORRUPT if it has dropped something; IO if that can be undone: once LevelDB
 *   is closed, by `settleOpening`.
 */
export async function checkLogs(directory: string): Promise<void> {
  const lines = await droppedLines(join(directory, 'store', 'LOG'))
  if (lines.some(isUnread)) throw unread(directory, lines)
  if (lines.length > 0) await refuseDropped(directory, lines)
  await dropKept(directory)
}

/** The folder with the store as the next start would take it. Changes nothing. */
export async function currentStore(directory: string): Promise<string> {
  const lines = await droppedLines(join(directory, 'store', 'LOG'))
  return storeFolder(directory, lines.some(isUnread))
}

/** LOG is moved last: until then each start finds it, and comes here again. */
async function refuseDropped(directory: string, lines: readonly string[]): Promise<never> {
  const damaged = join(directory, 'damaged')
  await mkdir(damaged, { recursive: true, mode: 0o700 })
  // There is nothing aside if an earlier try came this far. The refusal does not depend on it.
  await moveKeptLogs(directory, damaged)
  await rename(join(directory, 'store', 'LOG'), join(damaged, 'LOG'))
  await syncDirectory(damaged)
  await syncDirectory(directory)
  if (await isKept(directory)) await dropKept(directory)
  throw refusal(directory, lines)
}

function isUnread(line: string): boolean {
  return UNREAD.test(line)
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

function unread(directory: string, lines: readonly string[]): StoreError {
  const said = lines.slice(0, LINES_MAX).join(' | ')
  return new StoreError(
    'IO',
    `the system failed to read a log of the store in ${directory}: "${said}". Nothing was changed: ` +
      'as soon as it can be read, start again.',
  )
}

function refusal(directory: string, lines: readonly string[]): StoreError {
  const said = lines.slice(0, LINES_MAX).join(' | ')
  return new StoreError(
    'CORRUPT',
    `LevelDB dropped damaged records of its log, so commits are lost: "${said}". The logs as ` +
      `they were are kept in ${join(directory, 'damaged')}.`,
  )
}
