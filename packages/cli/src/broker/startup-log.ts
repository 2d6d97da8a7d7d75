// `startup-log`: how the last starts of the broker went.

import type { Command } from 'commander'
import { call, withClient } from '../connect.ts'
import { example } from '../help.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { renderReports } from './startup-render.ts'

export function addStartupLog(program: Command, run: Run): void {
  program
    .command('startup-log')
    .summary('how the last starts of the broker went')
    .description('Shows the last starts of the broker, step by step, with times and counts.')
    .addHelpText('after', example('tq-admin startup-log'))
    .action(() =>
      withClient(run, async (client) => {
        const reports = await client.startupLog(call(run))
        printResult(run, { reports }, () => renderReports(reports, viewOf(run)))
        if (reports.length === 0) run.terminal.note('the broker keeps no report of a start')
      }),
    )
}
