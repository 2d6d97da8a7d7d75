// `queue stats`: what waits, runs and died in all queues, or all about one.

import type { BrokerStats, QueueStats } from '@tq/core'
import type { Command } from 'commander'
import { call, withClient } from '../connect.ts'
import { example } from '../help.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { parseQueueName } from './queue-name.ts'
import { brokerLine, renderQueue, renderQueues } from './queue-render.ts'

interface Stats {
  readonly queues: readonly QueueStats[]
  readonly broker: BrokerStats
}

export function addQueueStats(queue: Command, run: Run): void {
  queue
    .command('stats')
    .summary('count the tasks of all queues, or all about one')
    .description(
      'Counts the tasks of all queues by state; with a name all about one queue, and its settings.',
    )
    .argument('[queue]', 'name of one queue', parseQueueName)
    .addHelpText('after', example('tq-admin queue stats mail'))
    .action((name: string | undefined) =>
      withClient(run, async (client) => {
        const stats = await client.stats(name, call(run))
        printResult(run, stats, () => textOf(run, stats, name))
      }),
    )
}

function textOf(run: Run, stats: Stats, name: string | undefined): string {
  const view = viewOf(run)
  const [only] = stats.queues
  if (name !== undefined && only !== undefined) return renderQueue(only, view)
  run.terminal.note(brokerLine(stats.broker))
  if (only === undefined) run.terminal.note('there are no queues yet; the first task makes one')
  return renderQueues(stats.queues, view)
}
