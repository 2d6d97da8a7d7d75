// The identity file: which store a data directory holds, so that a lost one is never made anew.

import type { Random } from '@tq/core'
import { join } from 'node:path'
import { readTextIfAny, writeDurably } from './durable-file.ts'
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

/** What stands in place of a state while a backup is being restored: no broker accepts it. */
const RESTORING = 'restoring'

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
  if (state === RESTORING) {
    throw new StoreError(
      'MISSING',
      `the restore into ${directory} was cut off before its end. Remove the directory and restore ` +
        'the backup again.',
    )
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
    `${path} is damaged. Restore the whole data directory from a backup; the file alone does ` +
      'nothing for you, and without it the store is not opened.',
  )
}

export function writeIdentity(directory: string, { storeId, state }: Identity): Promise<void> {
  return writeContent(directory, storeId, state)
}

/** Marks a directory as one in which a restore is under way, until its identity is written. */
export function writeRestoring(directory: string, storeId: Uint8Array): Promise<void> {
  return writeContent(directory, storeId, RESTORING)
}

export function newerFormat(directory: string, formatVersion: number): StoreError {
  return new StoreError(
    'NEWER_FORMAT',
    `${directory} has format ${formatVersion}; this broker knows formats up to ${FORMAT_VERSION}. ` +
      'Use the version of tq that wrote it, or a later one; formats are not converted back.',
  )
}

async function writeContent(
  directory: string,
  storeId: Uint8Array,
  state: Identity['state'] | typeof RESTORING,
): Promise<void> {
  const id = Buffer.from(storeId).toString('hex')
  const content = { formatVersion: FORMAT_VERSION, storeId: id, state }
  await writeDurably(identityPath(directory), `${JSON.stringify(content)}\n`)
}

function identityPath(directory: string): string {
  return join(directory, 'identity')
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
