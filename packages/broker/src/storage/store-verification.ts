// Is the store the one, and whole, that was left? Its head and its high-water mark answer.

import type { Scheduler } from '@tq/core'
import type { ClassicLevel } from 'classic-level'
import { join } from 'node:path'
import { decodeHead, encodeHead, HEAD_KEY, type Head } from './head-record.ts'
import { HighWater, isAhead } from './high-water.ts'
import { newerFormat, writeIdentity, type Identity } from './identity.ts'
import { StoreError } from './port.ts'

/**
 * How far the epoch jumps where the store cannot show how often it was opened (after a restore,
 * or with its high-water mark deleted), so that no fencing token is given out twice.
 */
export const EPOCH_SKIP = 1_000

export type Level = ClassicLevel<Uint8Array, Uint8Array>

export interface VerificationOptions {
  readonly directory: string
  readonly scheduler: Scheduler
  /** The high-water mark could not be made durable. */
  readonly onMarkFailure: (error: unknown) => void
}

export interface VerifiedStore {
  readonly highWater: HighWater
  readonly head: Head
  readonly created: boolean
}

/** Checks that the store is the one, and whole, that was left; then takes the next epoch. */
export async function verifyStore(
  level: Level,
  identity: Identity,
  options: VerificationOptions,
): Promise<VerifiedStore> {
  const { directory } = options
  const path = join(directory, 'high-water')
  const found = await readHead(directory, identity, level)
  const highWater = new HighWater(path, {
    scheduler: options.scheduler,
    onFailure: options.onMarkFailure,
  })
  try {
    const mark = await highWater.open()
    if (identity.state === 'ready') refuseGap(path, found, mark)
    const step = identity.state === 'ready' && mark === undefined ? EPOCH_SKIP : 1
    const head: Head = { ...found, epoch: found.epoch + step }
    await level.batch().put(HEAD_KEY, encodeHead(HEAD_KEY, head)).write({ sync: true })
    await highWater.set(head)
    const created = identity.state === 'creating'
    if (created) await writeIdentity(directory, { ...identity, state: 'ready' })
    return { highWater, head, created }
  } catch (error) {
    await highWater.close()
    throw error
  }
}

async function readHead(directory: string, identity: Identity, level: Level): Promise<Head> {
  const bytes = await level.get(HEAD_KEY)
  if (bytes === undefined) {
    if (identity.state === 'creating') return { storeId: identity.storeId, epoch: 0, lsn: 0 }
    throw corruptHead(directory, 'has lost its head record')
  }
  const reading = decodeHead(HEAD_KEY, bytes)
  switch (reading.kind) {
    case 'newer':
      throw newerFormat(directory, reading.formatVersion)
    case 'corrupt':
      throw corruptHead(directory, 'has a damaged head record')
    case 'head':
      break
  }
  if (Buffer.compare(reading.head.storeId, identity.storeId) === 0) return reading.head
  throw corruptHead(directory, 'is not the one that the file identity names')
}

function corruptHead(directory: string, what: string): StoreError {
  return new StoreError(
    'CORRUPT',
    `the store in ${directory} ${what}. Files of several backups may be mixed, or the disk may be ` +
      'failing.',
  )
}

function refuseGap(path: string, head: Head, mark: Head | undefined): void {
  if (mark === undefined) return
  if (Buffer.compare(mark.storeId, head.storeId) !== 0) {
    throw new StoreError(
      'CORRUPT',
      `${path} belongs to another store. Files of several backups may be mixed.`,
    )
  }
  if (!isAhead(mark, head)) return
  throw new StoreError(
    'GAP',
    `the store ends at commit ${head.lsn} (epoch ${head.epoch}), but had come to commit ` +
      `${mark.lsn} (epoch ${mark.epoch}), says ${path}: acknowledged work is lost.`,
  )
}
