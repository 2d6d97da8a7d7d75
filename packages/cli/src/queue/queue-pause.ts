// `queue pause` and its opposite `queue resume`.

import type { Command } from 'commander'
import { call, withClient } from '../connect.ts'
import { example } from '../help.ts'
import { printResult, type Run } from '../run.ts'
import { parseQueueName } from './queue-name.ts'

export function addQueuePause(queue: Command, run: Run): void {
  queue
    .command('pause')
    .summary('stop handing out the tasks of a queue')
    .description(
      'Stops handing out the tasks of a queue. It takes new tasks all the same, and tasks that workers hold go on.',
    )
    .argument('<queue>', 'name of the queue', parseQueueName)
    .option('--reason <text>', 'why, for whoever looks at the queue')
    .addHelpText('after', example('tq-admin queue pause mail --reason "provider is down"'))
    .action((name: string, flags: { readonly reason?: string }) =>
      withClient(run, async (client) => {
        const changed = await client.queuePause(name, flags, call(run))
        run.terminal.note(`queue ${name} ${changed ? 'is paused' : 'was paused already'}`)
        printResult(run, { queue: name, paused: true, changed }, () => '')
      }),
    )
}

export function addQueueResume(queue: Command, run: Run): void {
  queue
    .command('resume')
    .summary('hand out the tasks of a paused queue again')
    .description('Hands out the tasks of a paused queue again.')
    .argument('<queue>', 'name of the queue', parseQueueName)
    .addHelpText('after', example('tq-admin queue resume mail'))
    .action((name: string) =>
      withClient(run, async (client) => {
        const changed = await client.queueResume(name, call(run))
        run.terminal.note(`queue ${name} ${changed ? 'is open again' : 'was not paused'}`)
        printResult(run, { queue: name, paused: false, changed }, () => '')
      }),
    )
}
