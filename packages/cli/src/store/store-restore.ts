// `store restore`: a data directory from a backup.

import type { Command } from 'commander'
import { EXIT_CODES } from '../exit-code.ts'
import { example } from '../help.ts'
import { CommandRefusal } from '../refusal.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { answering } from './answering.ts'
import { addEpochOption, epochArgs } from './epoch-option.ts'
import { renderRestore } from './store-render.ts'
import type { RestoreReport } from './store-report.ts'
import { runUpkeep } from './upkeep.ts'

interface RestoreFlags {
  readonly to: string
  readonly epochMin?: number
}

export function addStoreRestore(store: Command, run: Run): void {
  const command = store
    .command('restore')
    .summary('make a data directory from a backup')
    .description(
      'Makes a data directory from a backup, after all of the backup was checked. Fencing tokens go on 1,000 epochs above those of the backup, so that none is given twice; leases of that time get their full time again at the start. No broker starts on a restore that was cut off.',
    )
    .usage('[options] <file> --to <dir>')
    .argument('<file>', 'the backup')
    .requiredOption('--to <dir>', 'the data directory: empty, or not there (required)')
    .addHelpText('after', example('tq-admin store restore tq-monday.backup --to /var/lib/tq'))
    .action((file: string, flags: RestoreFlags) => answering(run, () => restore(run, file, flags)))
  addEpochOption(command, 'restore of the same backup')
}

async function restore(run: Run, file: string, { to, epochMin }: RestoreFlags): Promise<void> {
  const args = ['restore', ...epochArgs(epochMin), '--', file, to]
  const { report, aborted } = await runUpkeep<RestoreReport>(run, args)
  if (report === undefined) {
    const text = `the restore was ended by ${aborted?.signal}: remove ${to} and restore again`
    throw new CommandRefusal(EXIT_CODES.notDone.code, text, 'aborted')
  }
  printResult(run, { report }, () => renderRestore(report, viewOf(run)))
}
