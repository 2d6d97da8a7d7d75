// A backup of a store that no broker has open: from a copy, as all reading of such a store is.

import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { limits, systemClock } from '@tq/core'
import { checkCommand, salvageBeside } from '../storage/advice.ts'
import { flawOf } from '../storage/backup-entry.ts'
import { BACKUP_VERSION, BackupWriter } from '../storage/backup-format.ts'
import { droppedLines } from '../storage/dropped-log.ts'
import { errorCode } from '../storage/durable-file.ts'
import { FORMAT_VERSION, HEAD_KEY } from '../storage/head-record.ts'
import type { Entry } from '../storage/port.ts'
import { levelSaid, openLevelCopy } from '../storage/raw-level.ts'
import type { Level } from '../storage/store-verification.ts'
import { BROKER_VERSION } from '../version.ts'
import { checkRegistry } from './check-registry.ts'
import { CopyReader } from './copy-reader.ts'
import { FindingList } from './finding.ts'
import { refuseInside, refuseInStore } from './apart.ts'
import { refuseUnfinished } from './new-directory.ts'
import { Refused } from './refused.ts'
import { type CopyOptions, copyStore, type StoreCopy } from './store-copy.ts'
import { Survey } from './survey.ts'
import { type BackupReport, verifyBackup } from './verify-backup.ts'

const ALL = { from: Uint8Array.of(0), to: new Uint8Array(16).fill(0xff) }

/**
 * Writes and syncs the file, and reads it once more. What fails leaves no file.
 * @throws {Refused} `unsound` if anything is damaged; `occupied` if there is such a file.
 */
export async function backUpStore(
  { directory, file }: { readonly directory: string; readonly file: string },
  options: CopyOptions,
  onProgress: (part: string, entries: number) => void,
): Promise<BackupReport> {
  await refuseInside(file, directory)
  await refuseInStore(file)
  await refuseUnfinished(directory)
  const copy = await copyStore(directory, options)
  try {
    const level = await openLevelCopy(copy.store).catch((error: unknown) => {
      throw unsound(directory, copy.ofStore(levelSaid(error)))
    })
    try {
      await refuseDropped(directory, copy.store)
      return await intoFile(file, options, (handle) =>
        write(level, { directory, handle, ofStore: copy.ofStore }, onProgress),
      )
    } finally {
      await level.close()
    }
  } finally {
    await copy.remove()
  }
}

/** LevelDB goes on without the records of its log that it cannot read: commits would be missing. */
async function refuseDropped(directory: string, copy: string): Promise<void> {
  const paths = [join(directory, 'damaged', 'LOG'), join(copy, 'LOG')]
  const [dropped] = (await Promise.all(paths.map(droppedLines))).flat()
  if (dropped !== undefined)
    throw unsound(directory, `LevelDB left out a part of its log: ${dropped}`)
}

/** Takes no file and no link that is there: somebody may have laid it there for us. */
async function intoFile(
  file: string,
  { onMade }: CopyOptions,
  fill: (handle: FileHandle) => Promise<void>,
): Promise<BackupReport> {
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error
    throw new Refused('occupied', `${file} exists, and nothing is written over. Name another file.`)
  })
  onMade?.(file)
  try {
    try {
      await fill(handle)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return await verifyBackup(file)
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
}

async function write(
  level: Level,
  from: { readonly directory: string; readonly handle: FileHandle } & Pick<StoreCopy, 'ofStore'>,
  onProgress: (part: string, entries: number) => void,
): Promise<void> {
  const { directory, handle, ofStore } = from
  const reader = new CopyReader(level, (said) => {
    throw unsound(directory, ofStore(said))
  })
  const findings = new FindingList(({ what }) => {
    throw unsound(directory, what)
  })
  const survey = new Survey({ reader, findings, onProgress: () => {} })
  await checkRegistry(survey)
  const { head, engine } = survey
  if (head === undefined) throw unsound(directory, 'it has no head')
  const writer = new BackupWriter()
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
    const flaw = entries.map(flawOf).find((found) => found !== undefined)
    if (flaw !== undefined) throw unsound(directory, flaw)
    await handle.writeFile(writer.chunk(entries))
    count += entries.length
    onProgress('backup', count)
  }
  const ofToken = Math.floor((engine?.lastToken ?? 0) / limits.TOKENS_PER_EPOCH)
  await handle.writeFile(writer.footer({ lsn: head.lsn, epoch: Math.max(head.epoch, ofToken) }))
}

/** The footer tells what the head says. */
function isNotHead([key]: Entry): boolean {
  return Buffer.compare(key, HEAD_KEY) !== 0
}

function unsound(directory: string, what: string): Refused {
  return new Refused(
    'unsound',
    `the store in ${directory} cannot be backed up: ${what}. To see all that is damaged: ` +
      `"${checkCommand(directory)}". To save what can be read: "${salvageBeside(directory)}".`,
  )
}
