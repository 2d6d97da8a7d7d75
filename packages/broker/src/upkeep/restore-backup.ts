// From a backup to a data directory on which a broker starts.

import { systemClock } from '@tq/core'
import { resolve } from 'node:path'
import { readBackup } from './backup-reader.ts'
import { refuseInStore } from './apart.ts'
import { firstEpoch } from './first-epoch.ts'
import { NewDirectory } from './new-directory.ts'
import { NewStore } from './new-store.ts'
import { Refused } from './refused.ts'
import { type BackupReport, verifyBackup } from './verify-backup.ts'

export interface RestoreRequest {
  readonly file: string
  readonly target: string
  /** The epoch is at least this; for a backup that is restored a second time. */
  readonly epochMin: number
}

export interface RestoreReport {
  readonly file: string
  readonly directory: string
  readonly storeId: string
  readonly lsn: number
  /** The next start takes the one above it. */
  readonly epoch: number
  readonly records: Readonly<Record<string, number>>
}

/** @throws {Refused} `not-found`, `bad-backup`, `occupied`, `usage`. */
export async function restoreBackup(
  { file, target, epochMin }: RestoreRequest,
  onProgress: (part: string, records: number) => void,
): Promise<RestoreReport> {
  await refuseInStore(target)
  const directory = await NewDirectory.mark(target, { state: 'restoring', from: resolve(file) })
  try {
    onProgress('verify', 0)
    const verified = await verifyBackup(file)
    const epoch = firstEpoch(verified.footer.epoch, epochMin)
    return await fill(directory, { ...verified, epoch }, onProgress)
  } catch (error) {
    await directory.unmark().catch(() => {})
    throw error
  }
}

async function fill(
  directory: NewDirectory,
  { file, header, footer, epoch }: BackupReport & { readonly epoch: number },
  onProgress: (part: string, records: number) => void,
): Promise<RestoreReport> {
  const storeId = new Uint8Array(Buffer.from(header.storeId, 'hex'))
  const store = await NewStore.begin(directory, storeId)
  try {
    let count = 0
    const again = await readBackup(file, async (entries) => {
      for (const [key, value] of entries) await store.add(key, value)
      count += entries.length
      onProgress('restore', count)
    })
    if (again.footer.sha256 !== footer.sha256) throw changed(file)
    const { lsn } = footer
    const atMs = systemClock.wallMs()
    await store.finish({ epoch, lsn }, { kind: 'restored', from: file, atMs, lsn, epoch })
    const { entries: records } = footer
    return { file, directory: directory.path, storeId: header.storeId, lsn, epoch, records }
  } catch (error) {
    await store.abandon().catch(() => {})
    throw error
  }
}

function changed(file: string): Refused {
  const text = `${file} was changed while it was restored. Remove what was made of it, and restore again.`
  return new Refused('bad-backup', text)
}
