// `store check`: is a store at rest what the broker left, and would a broker start on it?

import type { Command } from 'commander'
import { EXIT_CODES } from '../exit-code.ts'
import { example } from '../help.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { answering } from './answering.ts'
import { addCopyingOptions, copyingArgs, type CopyingFlags } from './copying.ts'
import {
  addFindingsOptions,
  findingsArgs,
  type FindingsFlags,
  isTruncated,
} from './findings-option.ts'
import { renderCheck } from './store-render.ts'
import type { CheckReport } from './store-report.ts'
import { type Finding, type Outcome, runUpkeep } from './upkeep.ts'

export function addStoreCheck(store: Command, run: Run): void {
  const command = store
    .command('check')
    .summary('look for damage in a store that no broker has open')
    .description(
      "Checks every record of a store that no broker has open, and all that records say of each other. Changes nothing: it works on a copy beside the store, which takes twice the size of LevelDB's logs and 64 MiB (table files are linked). Findings are grouped by their kind. Ends with 0 if the store is sound, with 1 if anything was found, and with another code if it could not be checked.",
    )
    .argument('<dir>', 'the data directory')
    .addHelpText('after', example('tq-admin store check /var/lib/tq'))
    .action((directory: string, flags: CheckFlags) =>
      answering(run, () => check(run, directory, flags)),
    )
  addFindingsOptions(command)
  addCopyingOptions(command)
}

type CheckFlags = CopyingFlags & FindingsFlags

async function check(run: Run, directory: string, flags: CheckFlags): Promise<void> {
  const args = ['check', ...copyingArgs(flags), ...findingsArgs(run, flags), '--', directory]
  const outcome = await runUpkeep<CheckReport>(run, args)
  const { report, findings } =
    outcome.report === undefined
      ? unfinished(directory, outcome)
      : { ...outcome, report: outcome.report }
  const truncated = isTruncated(findings, report.findings)
  printResult(run, { report, findings, truncated }, () =>
    renderCheck(report, findings, viewOf(run)),
  )
  if (!report.isSound) run.exitCode = EXIT_CODES.failed.code
}

/** LevelDB has ended the check: that is a finding, and the last one. */
function unfinished(
  directory: string,
  { findings, aborted }: Outcome<CheckReport>,
): { readonly report: CheckReport; readonly findings: readonly Finding[] } {
  const last: Finding = {
    code: 'aborted',
    what: `LevelDB ended the check (${aborted?.signal}) while it read ${aborted?.part}: ${aborted?.said}`,
    advice: 'its files are damaged: restore a backup; without one, salvage what is left',
  }
  const counts: Record<string, number> = {}
  for (const { code } of [...findings, last]) counts[code] = (counts[code] ?? 0) + 1
  const report = {
    directory,
    isSound: false,
    starts: false,
    records: {},
    queues: {},
    findings: counts,
    copiedBytes: 0,
  }
  return { report, findings: [...findings, last] }
}
