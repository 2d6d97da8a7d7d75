// `store restore`: a data directory from a backup.

import type { Command } from 'commander'
import { EXIT_CODES } from '../exit-code.ts'
import { example } from '../help.ts'
import { wholeNumber } from '../number-option.ts'
import { CommandRefusal } from '../refusal.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { renderRestore } from './store-render.ts'
import type { RestoreReport } from './store-report.ts'
import { runUpkeep } from './upkeep.ts'

interface RestoreFlags {
  readonly to: string
  readonly epochMin?: number
}

/** Fencing tokens stay below 2^53, and an epoch is worth 2^32 of them. */
const EPOCH_MAX = 2 ** 21 - 1

export function addStoreRestore(store: Command, run: Run): void {
  store
    .command('restore')
    .summary('make a data directory from a backup')
    .description(
      'Makes a data directory from a backup, after all of the backup was checked. Fencing tokens go on 1,000 epochs above those of the backup, so that none is given twice; leases of that time get their full time again at the start. No broker starts on a restore that was cut off.',
    )
    .argument('<file>', 'the backup')
    .requiredOption('--to <dir>', 'the data directory: empty, or not there')
    .option(
      '--epoch-min <number>',
      'begin with this epoch at least: above the last one of an earlier restore of the same backup',
      wholeNumber({ min: 1, max: EPOCH_MAX }),
    )
    .addHelpText('after', example('tq-admin store restore tq-monday.backup --to /var/lib/tq'))
    .action(async (file: string, { to, epochMin }: RestoreFlags) => {
      const least = epochMin === undefined ? [] : [`--epoch-min=${epochMin}`]
      const args = ['restore', ...least, '--', file, to]
      const { report, aborted } = await runUpkeep<RestoreReport>(run, args)
      if (report === undefined) {
        const text = `the restore was ended by ${aborted?.signal}: remove ${to} and restore again`
        throw new CommandRefusal(EXIT_CODES.failed.code, text)
      }
      printResult(run, { report }, () => renderRestore(report, viewOf(run)))
    })
}
