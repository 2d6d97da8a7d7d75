// `store salvage`: a new, sound store from what can be read of a damaged one.

import type { Command } from 'commander'
import { EXIT_CODES } from '../exit-code.ts'
import { example } from '../help.ts'
import { CommandRefusal } from '../refusal.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { answering } from './answering.ts'
import { addCopyingOptions, copyingArgs, type CopyingFlags } from './copying.ts'
import { addEpochOption, epochArgs } from './epoch-option.ts'
import {
  addFindingsOptions,
  findingsArgs,
  type FindingsFlags,
  isTruncated,
} from './findings-option.ts'
import { renderSalvage } from './store-render.ts'
import type { SalvageReport } from './store-report.ts'
import { type Outcome, runUpkeep } from './upkeep.ts'

interface SalvageFlags extends CopyingFlags, FindingsFlags {
  readonly to: string
  readonly epochMin?: number
}

export function addStoreSalvage(store: Command, run: Run): void {
  const command = store
    .command('salvage')
    .summary('save what can be read of a damaged store into a new one')
    .description(
      'Makes a new, sound store from what can be read of a damaged one, which is not touched. Deleted tasks that come back are left out as far as the journal tells; what is lost or doubtful is listed. Fencing tokens go on 1,000 epochs above all earlier ones. Try a backup first. Ends with 0 if nothing was amiss, with 1 if anything is listed, and with another code if nothing was made.',
    )
    .usage('[options] <dir> --to <newdir>')
    .argument('<dir>', 'the damaged data directory')
    .requiredOption('--to <newdir>', 'the new data directory: empty, or not there (required)')
    .addHelpText('after', example('tq-admin store salvage /var/lib/tq --to /var/lib/tq-salvaged'))
    .action((directory: string, flags: SalvageFlags) =>
      answering(run, async () => {
        const { report, findings } = await salvage(run, directory, flags)
        const truncated = isTruncated(findings, report.findings)
        printResult(run, { report, findings, truncated }, () =>
          renderSalvage(report, findings, viewOf(run)),
        )
        if (!report.isWhole) run.exitCode = EXIT_CODES.failed.code
      }),
    )
  addEpochOption(command, 'salvage of the same store')
  addFindingsOptions(command)
  addCopyingOptions(command)
}

/** If LevelDB ends it over a damaged table, all damaged tables are left out in a second try. */
async function salvage(
  run: Run,
  directory: string,
  flags: SalvageFlags,
): Promise<Outcome<SalvageReport> & { readonly report: SalvageReport }> {
  const options = [...copyingArgs(flags), ...findingsArgs(run, flags), ...epochArgs(flags.epochMin)]
  for (const more of [[], ['--leave-out-tables']]) {
    const args = ['salvage', ...options, ...more, '--', directory, flags.to]
    const outcome = await runUpkeep<SalvageReport>(run, args)
    const { report, aborted } = outcome
    if (report !== undefined) return { ...outcome, report }
    run.terminal.note(`LevelDB ended the salvage (${aborted?.signal}): ${aborted?.said}`)
  }
  const text =
    `nothing was salvaged: LevelDB cannot live with the files of ${directory}. What was begun in ` +
    `${flags.to} is no store: remove it.`
  throw new CommandRefusal(EXIT_CODES.notDone.code, text, 'aborted')
}
