// `task wait`: until a task has ended; how it ended is the exit code.

import type { Command } from 'commander'
import { withClient } from '../connect.ts'
import { example } from '../help.ts'
import type { Run } from '../run.ts'
import { waitForEnd } from './task-end.ts'

export function addTaskWait(task: Command, run: Run): void {
  task
    .command('wait')
    .summary('wait until a task has ended, and exit by how')
    .description(
      'Waits until a task has ended, and prints its result. Exits with 0 if it completed, with 1 if it is dead, cancelled or expired, with 6 if --timeout was over first. A restart of the broker does not matter.',
    )
    .argument('<id>', 'id of the task')
    .addHelpText(
      'after',
      example('tq-admin task wait 01a1f866-0d00-7000-92eb-30557a9fc4e9 --timeout 5m'),
    )
    .action((id: string) =>
      withClient(run, (client) => waitForEnd(run, client, { id }), { outlastsRestarts: true }),
    )
}
