// `store backup`: all that a broker holds, into a file, while it works.

import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, type FileHandle, open, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TqClient } from '@tq/client'
import type { Command } from 'commander'
import { call, withClient } from '../connect.ts'
import { showCount } from '../count.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { example } from '../help.ts'
import { CommandRefusal } from '../refusal.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { UsageError } from '../usage-error.ts'
import { answering } from './answering.ts'
import { addCopyingOptions, copyingArgs, type CopyingFlags } from './copying.ts'
import { progressNotes } from './progress.ts'
import { renderBackup } from './store-render.ts'
import type { BackupReport } from './store-report.ts'
import { verifyBackup } from './store-verify.ts'
import { runUpkeep } from './upkeep.ts'

interface BackupFlags extends CopyingFlags {
  readonly force?: boolean
  readonly offline?: string
}

export function addStoreBackup(store: Command, run: Run): void {
  const command = store
    .command('backup')
    .summary('write all that a broker holds into a file')
    .description(
      'Writes all that a running broker holds into a file: as it was at one commit, while the broker works on. The file is written aside, synced, read once more, and only then gets its name. It holds all payloads: keep it as you keep those.',
    )
    .argument('<file>', 'the backup; - for stdout, once all of it is written aside and checked')
    .option('--force', 'write over a file of this name')
    .option('--offline <dir>', 'of a data directory that no broker has open, instead of a broker')
    .addHelpText('after', example('tq-admin store backup tq-monday.backup'))
    .action((file: string, flags: BackupFlags) =>
      answering(run, () => (file === '-' ? toStdout(run, flags) : toFile(run, file, flags))),
    )
  addCopyingOptions(command)
}

async function toFile(run: Run, file: string, flags: BackupFlags): Promise<void> {
  if (flags.force !== true) await refuseTaken(file)
  const partial = partialName(file)
  const report = { ...(await write(run, partial, flags)), file }
  await giveName(partial, file)
  printResult(run, { report }, () => renderBackup(report, viewOf(run)))
}

/** Whoever reads it gets a backup that was checked, or nothing. */
async function toStdout(run: Run, flags: BackupFlags): Promise<void> {
  const { terminal } = run
  const { printBytes } = terminal
  if (terminal.isScreen || printBytes === undefined) {
    throw new UsageError('a backup is no text for a screen: name a file, or lead stdout into one')
  }
  if (run.options().output === 'json') {
    throw new UsageError('the backup goes to stdout, where -o json would go as well; name a file')
  }
  const partial = partialName(join(tmpdir(), 'tq'))
  try {
    const report = { ...(await write(run, partial, flags)), file: '-' }
    for await (const bytes of createReadStream(partial)) await printBytes(bytes as Buffer)
    terminal.note(renderBackup(report, viewOf(run)))
  } finally {
    await rm(partial, { force: true })
  }
}

/** A name that nobody can foresee, and lay a link under. */
function partialName(file: string): string {
  return `${file}.${randomBytes(8).toString('hex')}.partial`
}

function write(run: Run, partial: string, flags: BackupFlags): Promise<BackupReport> {
  const { offline } = flags
  return offline === undefined
    ? pull(run, partial)
    : writeOffline(run, partial, { ...flags, directory: offline })
}

async function refuseTaken(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  )
  if (!isThere) return
  const text = `${file} exists; name another file, or write over it with --force`
  throw new CommandRefusal(EXIT_CODES.conflict.code, text, 'occupied')
}

/** Writes all of it and reads it once more; leaves nothing if that fails. */
async function pull(run: Run, partial: string): Promise<BackupReport> {
  let isMade = false
  try {
    await withClient(run, async (client) => {
      const handle = await openPartial(partial)
      isMade = true
      await writePieces(run, handle, client.backup(call(run)))
    })
    return await verifyBackup(run, partial)
  } catch (error) {
    if (isMade) await rm(partial, { force: true })
    throw error
  }
}

/** Asks for piece after piece; the next one only when the one before is written. */
async function writePieces(
  run: Run,
  handle: FileHandle,
  pieces: ReturnType<TqClient['backup']>,
): Promise<void> {
  try {
    const note = progressNotes(run)
    let bytes = 0
    for await (const piece of pieces) {
      await handle.writeFile(piece.bytes)
      bytes += piece.bytes.length
      note(`${showCount(piece.entries, 'record')}, ${Math.ceil(bytes / 2 ** 20)} MiB`)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The same from files; the upkeep program reads it once more, and leaves nothing if it fails. */
async function writeOffline(
  run: Run,
  partial: string,
  from: CopyingFlags & { readonly directory: string },
): Promise<BackupReport> {
  const args = ['backup', ...copyingArgs(from), '--', from.directory, partial]
  const { report, aborted } = await runUpkeep<BackupReport>(run, args)
  if (report !== undefined) return report
  const text = `LevelDB ended the backup (${aborted?.signal}): ${aborted?.said}. Check the store.`
  throw new CommandRefusal(EXIT_CODES.notDone.code, text, 'aborted')
}

async function openPartial(partial: string): Promise<FileHandle> {
  try {
    // Takes no file and no link that is there.
    return await open(partial, 'wx', 0o600)
  } catch (error) {
    const text = `${partial} cannot be written: ${(error as Error).message}`
    throw new CommandRefusal(EXIT_CODES.notDone.code, text, 'system')
  }
}

/** What is there under its name is whole, also after a power cut. */
async function giveName(partial: string, file: string): Promise<void> {
  try {
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    const text = `${file} cannot be written: ${(error as Error).message}`
    throw new CommandRefusal(EXIT_CODES.notDone.code, text, 'system')
  }
  const directory = await open(dirname(file), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
