// `queue purge`: removes what waits in a queue, for good.

import type { TqClient } from '@tq/client'
import type { Command } from 'commander'
import { call, withClient } from '../connect.ts'
import { showCount } from '../count.ts'
import { example } from '../help.ts'
import { printResult, type Run } from '../run.ts'
import { UsageError } from '../usage-error.ts'
import { parseQueueName } from './queue-name.ts'

interface PurgeFlags {
  readonly yes?: boolean
  readonly reason?: string
}

export function addQueuePurge(queue: Command, run: Run): void {
  queue
    .command('purge')
    .summary('remove the tasks that wait in a queue, for good')
    .description(
      'Removes the tasks that wait in a queue (scheduled, queued, retrying) and were there when the purge began. Tasks that workers hold go on, what has ended is kept. Without --yes it only says how many there are.',
    )
    .argument('<queue>', 'name of the queue', parseQueueName)
    .option('--yes', 'really do it')
    .option('--reason <text>', 'why, for whoever looks at the journal')
    .addHelpText('after', example('tq-admin queue purge mail --yes --reason "test data"'))
    .action((name: string, flags: PurgeFlags) =>
      withClient(run, async (client) => {
        if (flags.yes !== true) throw await unconfirmed(run, client, name)
        await purge(run, client, { name, ...flags })
      }),
    )
}

async function purge(
  run: Run,
  client: TqClient,
  what: { readonly name: string; readonly reason?: string },
): Promise<void> {
  const { name, reason } = what
  const options = reason === undefined ? {} : { reason }
  let purged = 0
  for await (const count of client.queuePurge(name, options, call(run))) purged += count
  run.terminal.note(`${showCount(purged, 'task')} removed from queue ${name}`)
  printResult(run, { queue: name, purged }, () => '')
}

async function unconfirmed(run: Run, client: TqClient, name: string): Promise<UsageError> {
  const { queues } = await client.stats(name, call(run))
  const waiting = queues.reduce((sum, { scheduled, queued, retrying }) => {
    return sum + scheduled + queued + retrying
  }, 0)
  const text = `${showCount(waiting, 'waiting task')} of queue ${name} would be removed for good`
  return new UsageError(`${text}; add --yes to do it`)
}
