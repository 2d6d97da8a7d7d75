// From a backup to a data directory on which a broker starts.

import { limits, systemClock } from '@tq/core'
import { EPOCH_SKIP } from '../storage/store-verification.ts'
import { readBackup } from './backup-reader.ts'
import { NewStore, refuseOccupied } from './new-store.ts'
import { Refused } from './refused.ts'
import { verifyBackup } from './verify-backup.ts'

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
  await refuseOccupied(target)
  onProgress('verify', 0)
  const { header, footer } = await verifyBackup(file)
  const epoch = Math.max(footer.epoch + EPOCH_SKIP, epochMin)
  refuseEpoch(epoch)
  const store = await NewStore.begin(target, new Uint8Array(Buffer.from(header.storeId, 'hex')))
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
    const { storeId } = header
    return { file, directory: target, storeId, lsn, epoch, records: footer.entries }
  } catch (error) {
    await store.abandon().catch(() => {})
    throw error
  }
}

function changed(file: string): Refused {
  const text = `${file} was changed while it was restored. Remove what was made of it, and restore again.`
  return new Refused('bad-backup', text)
}

function refuseEpoch(epoch: number): void {
  const epochMax = limits.TOKEN_MAX / limits.TOKENS_PER_EPOCH - EPOCH_SKIP
  if (Number.isSafeInteger(epoch) && epoch >= 0 && epoch < epochMax) return
  throw new Refused('usage', `the epoch must be a whole number below ${epochMax}, got ${epoch}`)
}
