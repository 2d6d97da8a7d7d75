// A backup of a store that no broker has open: from a copy, as all reading of such a store is.

import { open } from 'node:fs/promises'
import { limits, systemClock } from '@tq/core'
import { BACKUP_VERSION, BackupWriter } from '../storage/backup-format.ts'
import { FORMAT_VERSION, HEAD_KEY } from '../storage/head-record.ts'
import type { Entry } from '../storage/port.ts'
import { levelSaid, openLevelCopy } from '../storage/raw-level.ts'
import type { Level } from '../storage/store-verification.ts'
import { BROKER_VERSION } from '../version.ts'
import { checkRegistry } from './check-registry.ts'
import { CopyReader } from './copy-reader.ts'
import { FindingList } from './finding.ts'
import { Refused } from './refused.ts'
import { type CopyOptions, copyStore } from './store-copy.ts'
import { Survey } from './survey.ts'

const ALL = { from: Uint8Array.of(0), to: new Uint8Array(16).fill(0xff) }

/** Writes and syncs the file. @throws {Refused} `unsound` if anything cannot be read. */
export async function backUpStore(
  { directory, file }: { readonly directory: string; readonly file: string },
  options: CopyOptions,
  onProgress: (part: string, entries: number) => void,
): Promise<void> {
  const copy = await copyStore(directory, options)
  try {
    const level = await openLevelCopy(copy.store).catch((error: unknown) => {
      throw unsound(directory, levelSaid(error))
    })
    try {
      await write(level, { directory, file }, onProgress)
    } finally {
      await level.close()
    }
  } finally {
    await copy.remove()
  }
}

async function write(
  level: Level,
  { directory, file }: { readonly directory: string; readonly file: string },
  onProgress: (part: string, entries: number) => void,
): Promise<void> {
  const reader = new CopyReader(level, (said) => {
    throw unsound(directory, said)
  })
  const findings = new FindingList(({ what }) => {
    throw unsound(directory, what)
  })
  const survey = new Survey({ reader, findings, onProgress: () => {} })
  await checkRegistry(survey)
  const { head, engine } = survey
  if (head === undefined) throw unsound(directory, 'it has no head')
  const writer = new BackupWriter()
  const handle = await open(file, 'w', 0o600)
  try {
    await handle.writeFile(
      writer.header({
        backupVersion: BACKUP_VERSION,
        formatVersion: FORMAT_VERSION,
        version: BROKER_VERSION,
        storeId: Buffer.from(head.storeId).toString('hex'),
        atMs: systemClock.wallMs(),
      }),
    )
    let count = 0
    for await (const page of reader.pages(ALL)) {
      const entries = page.filter(isNotHead)
      await handle.writeFile(writer.chunk(entries))
      count += entries.length
      onProgress('backup', count)
    }
    const ofToken = Math.floor((engine?.lastToken ?? 0) / limits.TOKENS_PER_EPOCH)
    await handle.writeFile(writer.footer({ lsn: head.lsn, epoch: Math.max(head.epoch, ofToken) }))
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The footer tells what the head says. */
function isNotHead([key]: Entry): boolean {
  return Buffer.compare(key, HEAD_KEY) !== 0
}

function unsound(directory: string, what: string): Refused {
  return new Refused(
    'unsound',
    `the store in ${directory} cannot be backed up: ${what}. "tq-admin store check" tells more, and ` +
      '"tq-admin store salvage" saves what is left.',
  )
}
