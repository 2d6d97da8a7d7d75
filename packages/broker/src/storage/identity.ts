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

export async function writeIdentity(directory: string, identity: Identity): Promise<void> {
  const storeId = Buffer.from(identity.storeId).toString('hex')
  const content = { formatVersion: FORMAT_VERSION, storeId, state: identity.state }
  await writeDurably(identityPath(directory), `${JSON.stringify(content)}\n`)
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

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
