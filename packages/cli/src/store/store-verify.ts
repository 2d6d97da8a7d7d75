// `store verify`: is a backup whole, and what is in it?

import type { Command } from 'commander'
import { EXIT_CODES } from '../exit-code.ts'
import { example } from '../help.ts'
import { CommandRefusal } from '../refusal.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { answering } from './answering.ts'
import { renderBackup } from './store-render.ts'
import type { BackupReport } from './store-report.ts'
import { runUpkeep } from './upkeep.ts'

export function addStoreVerify(store: Command, run: Run): void {
  store
    .command('verify')
    .summary('read a backup from its first byte to its last')
    .description('Reads a backup, checks all its checksums and counts, and tells what is in it.')
    .argument('<file>', 'the backup')
    .addHelpText('after', example('tq-admin store verify tq-monday.backup'))
    .action((file: string) =>
      answering(run, async () => {
        const report = await verifyBackup(run, file)
        printResult(run, { report }, () => renderBackup(report, viewOf(run)))
      }),
    )
}

/** @throws {CommandRefusal} if anything is wrong with it. */
export async function verifyBackup(run: Run, file: string): Promise<BackupReport> {
  const { report, aborted } = await runUpkeep<BackupReport>(run, ['verify', '--', file])
  if (report !== undefined) return report
  const text = `the backup could not be verified: ${aborted?.signal} ${aborted?.said}`
  throw new CommandRefusal(EXIT_CODES.notDone.code, text, 'aborted')
}
