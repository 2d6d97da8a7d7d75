// `store salvage`: a new, sound store from what can be read of a damaged one.

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { EXIT_CODES } from '../exit-code.ts'
import { example } from '../help.ts'
import { CommandRefusal } from '../refusal.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { addCopyingOptions, copyingArgs, type CopyingFlags } from './copying.ts'
import { renderSalvage } from './store-render.ts'
import type { SalvageReport } from './store-report.ts'
import { type Outcome, runUpkeep } from './upkeep.ts'

interface SalvageFlags extends CopyingFlags {
  readonly to: string
}

export function addStoreSalvage(store: Command, run: Run): void {
  const command = store
    .command('salvage')
    .summary('save what can be read of a damaged store into a new one')
    .description(
      'Makes a new, sound store from what can be read of a damaged one, which is not touched. Deleted tasks that come back are left out as far as the journal tells; what is lost or doubtful is listed. Fencing tokens go on 1,000 epochs above all earlier ones. Try a backup first. Ends with 0 if nothing was amiss, with 1 if anything is listed.',
    )
    .argument('<dir>', 'the damaged data directory')
    .requiredOption('--to <dir>', 'the new data directory: empty, or not there')
    .addHelpText('after', example('tq-admin store salvage /var/lib/tq --to /var/lib/tq-salvaged'))
    .action(async (directory: string, flags: SalvageFlags) => {
      const { report, findings } = await salvage(run, directory, flags)
      printResult(run, { report, findings }, () => renderSalvage(report, findings, viewOf(run)))
      if (!report.isWhole) run.exitCode = EXIT_CODES.failed.code
    })
  addCopyingOptions(command)
}

/** If LevelDB ends it over a damaged table, all damaged tables are left out in a second try. */
async function salvage(
  run: Run,
  directory: string,
  flags: SalvageFlags,
): Promise<Outcome<SalvageReport> & { readonly report: SalvageReport }> {
  for (const more of [[], ['--leave-out-tables']]) {
    const args = ['salvage', ...copyingArgs(flags), ...more, '--', directory, flags.to]
    const outcome = await runUpkeep<SalvageReport>(run, args)
    const { report, aborted } = outcome
    if (report !== undefined) return { ...outcome, report }
    run.terminal.note(`LevelDB ended the salvage (${aborted?.signal}): ${aborted?.said}`)
    // It was empty before: if not, the program has refused it, and nothing comes here.
    for (const name of await readdir(flags.to).catch(() => [])) {
      await rm(join(flags.to, name), { recursive: true, force: true })
    }
  }
  const text = `nothing was salvaged: LevelDB cannot live with the files of ${directory}`
  throw new CommandRefusal(EXIT_CODES.failed.code, text)
}
