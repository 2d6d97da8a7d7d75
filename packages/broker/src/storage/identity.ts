// The identity file: which store a data directory holds, so that a lost one is never made anew.

import type { Random } from '@tq/core'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { removeCommand, restoreCommand, salvageCommand } from './advice.ts'
import { readTextIfAny, syncDirectory, writeDurably } from './durable-file.ts'
import { FORMAT_VERSION, STORE_ID_BYTES } from './head-record.ts'
import { StoreError } from './port.ts'

export interface Identity {
  readonly storeId: Uint8Array
  /**
   * `creating`: LevelDB may be absent or incomplete, and nothing was ever acknowledged. `ready`:
   * the store exists; if it is not found, it was lost, and an empty one must not take its place.
   */
  readonly state: 'creating' | 'ready'
}

/** A directory that is being filled: what stands in it is no store yet, and no broker accepts it. */
export interface Unfinished {
  readonly state: 'restoring' | 'salvaging'
  /** The backup, or the damaged data directory; undefined if the file does not tell. */
  readonly from: string | undefined
}

export function newIdentity(random: Random): Identity {
  const storeId = new Uint8Array(STORE_ID_BYTES)
  random.fill(storeId)
  return { storeId, state: 'creating' }
}

/**
 * Undefined in a directory that was never initialised.
 * @throws {StoreError} NEWER_FORMAT or CORRUPT.
 */
export async function readIdentity(directory: string): Promise<Identity | undefined> {
  const path = identityPath(directory)
  const text = await readTextIfAny(path)
  if (text === undefined) return undefined
  const { formatVersion, storeId, state } = parseObject(text)
  if (typeof formatVersion === 'number' && formatVersion > FORMAT_VERSION) {
    throw newerFormat(directory, formatVersion)
  }
  const unfinished = unfinishedOf(text)
  if (unfinished !== undefined) {
    throw new StoreError('MISSING', unfinishedText(directory, unfinished))
  }
  const isStoreId = typeof storeId === 'string' && /^[0-9a-f]{32}$/.test(storeId)
  if (
    formatVersion === FORMAT_VERSION &&
    isStoreId &&
    (state === 'creating' || state === 'ready')
  ) {
    return { storeId: new Uint8Array(Buffer.from(storeId, 'hex')), state }
  }
  throw new StoreError(
    'CORRUPT',
    `${path} is damaged, and without it the store is not opened; the file of another directory ` +
      'or moment does not help.',
  )
}

export async function writeIdentity(
  directory: string,
  { storeId, state }: Identity,
): Promise<void> {
  const id = Buffer.from(storeId).toString('hex')
  const content = { formatVersion: FORMAT_VERSION, storeId: id, state }
  await writeDurably(identityPath(directory), `${JSON.stringify(content)}\n`)
}

/** Undefined if nothing was being made in the directory, or it has come to its end. */
export async function readUnfinished(directory: string): Promise<Unfinished | undefined> {
  const text = await readTextIfAny(identityPath(directory))
  return text === undefined ? undefined : unfinishedOf(text)
}

/**
 * Marks an empty directory as one that is being filled, until its identity is written. No other
 * file may stand in it before: whoever finds one without this takes the directory for a new one.
 * @throws an error with code EEXIST if it has an identity.
 */
export async function markUnfinished(
  directory: string,
  { state, from }: Unfinished,
): Promise<void> {
  // Under its name at once, not renamed to it: a file that is cut short is refused, too.
  const file = await open(identityPath(directory), 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify({ formatVersion: FORMAT_VERSION, state, from })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await syncDirectory(directory)
}

/** What was cut off, and how it is done again. */
export function unfinishedText(directory: string, { state, from }: Unfinished): string {
  const [what, commandOf] =
    state === 'restoring' ? ['restore', restoreCommand] : ['salvage', salvageCommand]
  const of = from === undefined ? '' : ` of ${from}`
  return (
    `the ${what}${of} into ${directory} was cut off before its end, or is still at work: what is ` +
    `there is no store. If it has ended, remove it: "${removeCommand(directory)}", and do it ` +
    `again: "${commandOf(from, directory)}".`
  )
}

export function newerFormat(directory: string, formatVersion: number): StoreError {
  return new StoreError(
    'NEWER_FORMAT',
    `${directory} has format ${formatVersion}; this broker knows formats up to ${FORMAT_VERSION}. ` +
      'Use the version of tq that wrote it, or a later one; formats are not converted back.',
  )
}

function identityPath(directory: string): string {
  return join(directory, 'identity')
}

function unfinishedOf(text: string): Unfinished | undefined {
  const { state, from } = parseObject(text)
  if (state !== 'restoring' && state !== 'salvaging') return undefined
  return { state, from: typeof from === 'string' ? from : undefined }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
