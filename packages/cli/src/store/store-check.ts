// `store check`: is a store at rest what the broker left, and would a broker start on it?

import type { Command } from 'commander'
import { EXIT_CODES } from '../exit-code.ts'
import { example } from '../help.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { addCopyingOptions, copyingArgs, type CopyingFlags } from './copying.ts'
import { renderCheck } from './store-render.ts'
import type { CheckReport } from './store-report.ts'
import { type Finding, type Outcome, runUpkeep } from './upkeep.ts'

export function addStoreCheck(store: Command, run: Run): void {
  const command = store
    .command('check')
    .summary('look for damage in a store that no broker has open')
    .description(
      "Checks every record of a store that no broker has open, and all that records say of each other. Changes nothing: it works on a copy beside the store, which takes twice the size of LevelDB's logs and 64 MiB (table files are linked). Ends with 0 if the store is sound, with 1 if anything was found.",
    )
    .argument('<dir>', 'the data directory')
    .addHelpText('after', example('tq-admin store check /var/lib/tq'))
    .action(async (directory: string, flags: CopyingFlags) => {
      const args = ['check', ...copyingArgs(flags), '--', directory]
      const outcome = await runUpkeep<CheckReport>(run, args)
      const { report, findings } =
        outcome.report === undefined
          ? unfinished(directory, outcome)
          : { ...outcome, report: outcome.report }
      printResult(run, { report, findings }, () => renderCheck(report, findings, viewOf(run)))
      if (!report.isSound) run.exitCode = EXIT_CODES.failed.code
    })
  addCopyingOptions(command)
}

/** LevelDB has ended the check: that is a finding, and the last one. */
function unfinished(
  directory: string,
  { findings, aborted }: Outcome<CheckReport>,
): { readonly report: CheckReport; readonly findings: readonly Finding[] } {
  const last: Finding = {
    code: 'aborted',
    what: `LevelDB ended the check (${aborted?.signal}) while it read ${aborted?.part}: ${aborted?.said}`,
    advice: 'its files are damaged; restore a backup, or salvage what is left',
  }
  const counts: Record<string, number> = {}
  for (const { code } of [...findings, last]) counts[code] = (counts[code] ?? 0) + 1
  const report = {
    directory,
    isSound: false,
    records: {},
    queues: {},
    findings: counts,
    copiedBytes: 0,
  }
  return { report, findings: [...findings, last] }
}
