// `worker list`: who is there to run tasks.

import type { Command } from 'commander'
import { call, withClient } from '../connect.ts'
import { example } from '../help.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { renderWorkers } from './worker-render.ts'

export function addWorkerList(worker: Command, run: Run): void {
  worker
    .command('list')
    .summary('list the workers')
    .description(
      'Lists the workers that the broker knows: slots, tasks they hold, when they were last heard of.',
    )
    .addHelpText('after', example('tq-admin worker list'))
    .action(() =>
      withClient(run, async (client) => {
        const workers = await client.workers(call(run))
        printResult(run, { workers }, () => renderWorkers(workers, viewOf(run)))
        if (workers.length === 0) run.terminal.note('no worker is registered')
      }),
    )
}
