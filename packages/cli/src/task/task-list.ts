// `task list`: tasks by queue, state and type, in the order of their ids.

import type { ListFilter, TaskListRow, TqClient } from '@tq/client'
import { limits, TASK_STATE_NAMES, type TaskState } from '@tq/core'
import { type Command, Option } from 'commander'
import { call, withClient } from '../connect.ts'
import { example } from '../help.ts'
import { wholeNumber } from '../number-option.ts'
import { parseQueueName } from '../queue/queue-name.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { renderTasks } from './list-render.ts'

interface ListFlags {
  readonly queue?: string
  readonly state?: TaskState
  readonly type?: string
  readonly limit: number
  readonly cursor?: string
}

interface Listing {
  readonly tasks: readonly TaskListRow[]
  /** Where to go on; null at the end. */
  readonly cursor: string | null
}

/** Rows that one command may gather: what a person or a pipe can still use. */
const ROWS_MAX = 100_000
const ROWS_STANDARD = 100

export function addTaskList(task: Command, run: Run): void {
  task
    .command('list')
    .summary('list tasks')
    .description('Lists tasks, first those that have not ended, in the order of their ids.')
    .option('--queue <queue>', 'of this queue only', parseQueueName)
    .addOption(new Option('--state <state>', 'in this state only').choices(TASK_STATE_NAMES))
    .option('--type <type>', 'of this type only')
    .option(
      '--limit <number>',
      `most tasks, up to ${ROWS_MAX}`,
      wholeNumber({ min: 1, max: ROWS_MAX }),
      ROWS_STANDARD,
    )
    .option('--cursor <cursor>', 'go on where an earlier list ended')
    .addHelpText('after', example('tq-admin task list --queue mail --state dead'))
    .action((flags: ListFlags) =>
      withClient(run, async (client) => {
        const listing = await gather(run, client, flags)
        printResult(run, listing, () => renderTasks(listing.tasks, viewOf(run)))
        noteRest(run, listing)
      }),
    )
}

/** Page after page: the broker ends a page early if few of the tasks it looks at match. */
async function gather(run: Run, client: TqClient, flags: ListFlags): Promise<Listing> {
  const { limit, cursor: start, ...filter } = flags
  const tasks: TaskListRow[] = []
  let from: Pick<ListFilter, 'cursor'> = start === undefined ? {} : { cursor: start }
  for (;;) {
    const rows = Math.min(limit - tasks.length, limits.LIST_ROWS_MAX)
    const page = await client.list({ ...filter, ...from, limit: rows }, call(run))
    tasks.push(...page.tasks)
    const { cursor } = page
    if (cursor === undefined) return { tasks, cursor: null }
    if (tasks.length >= limit) return { tasks, cursor }
    from = { cursor }
  }
}

function noteRest(run: Run, { tasks, cursor }: Listing): void {
  if (run.options().output === 'json') return
  if (tasks.length === 0) run.terminal.note('no such tasks')
  if (cursor !== null) run.terminal.note(`there may be more: add --cursor ${cursor}`)
}
