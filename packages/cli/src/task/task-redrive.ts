// `task redrive`: dead, cancelled or expired tasks live again, by their ids or by what they are.

import { type ErrorCode, type ItemsAnswer, type ListFilter, type TqClient } from '@tq/client'
import { limits } from '@tq/core'
import { type Command, Option } from 'commander'
import { call, withClient } from '../connect.ts'
import { showCount } from '../count.ts'
import { exitCodeOfItems } from '../exit-code.ts'
import { example } from '../help.ts'
import { wholeNumber } from '../number-option.ts'
import { printable } from '../printable.ts'
import { parseQueueName } from '../queue/queue-name.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { renderTable, type View } from '../table.ts'
import { UsageError } from '../usage-error.ts'

type EndedState = 'dead' | 'cancelled' | 'expired'

interface RedriveFlags {
  readonly queue?: string
  readonly type?: string
  readonly state?: EndedState
  readonly all?: boolean
  readonly limit?: number
  readonly dryRun?: boolean
}

interface Refused {
  readonly id: string
  readonly code: ErrorCode
  readonly message: string
}

/** What became of them; `-o json` prints it. */
interface Redriven {
  redriven: number
  readonly refused: Refused[]
}

const COUNT_MAX = 100_000_000

export function addTaskRedrive(task: Command, run: Run): void {
  task
    .command('redrive')
    .summary('let dead, cancelled or expired tasks live again')
    .description(
      'Lets ended tasks live again under their ids, with no failures and losses: those with these ids, or all that have ended so in a queue or of a type. Mend what they died of first.',
    )
    .argument('[id...]', 'ids of the tasks')
    .option('--queue <queue>', 'all of this queue', parseQueueName)
    .option('--type <type>', 'all of this type')
    .addOption(
      new Option('--state <state>', 'those in this state (default: dead)').choices([
        'dead',
        'cancelled',
        'expired',
      ]),
    )
    .option('--all', 'those of all queues')
    .option('--limit <number>', 'so many at most', wholeNumber({ min: 1, max: COUNT_MAX }))
    .option('--dry-run', 'only count them')
    .addHelpText('after', example('tq-admin task redrive --queue mail --limit 10'))
    .action((ids: string[], flags: RedriveFlags) => redrive(run, ids, flags))
}

async function redrive(run: Run, ids: readonly string[], flags: RedriveFlags): Promise<void> {
  requireChoice(ids, flags)
  await withClient(run, async (client) => {
    const done: Redriven = { redriven: 0, refused: [] }
    const pages = ids.length > 0 ? pagesOf(ids) : matching(run, client, flags)
    if (flags.dryRun === true) return tellCount(run, pages)
    for await (const some of pages) {
      const answer = await client.redrive(some, call(run))
      note(done, some, answer)
      if (isFull(answer)) break
    }
    tell(run, done)
  })
}

/** Every dead task of a broker must be asked for by name. */
function requireChoice(ids: readonly string[], flags: RedriveFlags): void {
  const { queue, type, state, all, limit, dryRun } = flags
  const isFiltered = queue !== undefined || type !== undefined || all === true
  if (ids.length === 0 && !isFiltered) {
    throw new UsageError('name the tasks: ids, --queue, --type, or --all for those of all queues')
  }
  const isNarrowed = [state, limit, dryRun].some((flag) => flag !== undefined)
  if (ids.length > 0 && (isFiltered || isNarrowed)) {
    throw new UsageError('ids name the tasks already; leave out the other options, or the ids')
  }
}

async function* pagesOf(ids: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let from = 0; from < ids.length; from += limits.ITEMS_PER_REQUEST_MAX) {
    yield ids.slice(from, from + limits.ITEMS_PER_REQUEST_MAX)
  }
}

/** Page after page; a task that dies again stands behind the cursor, and is not met twice. */
async function* matching(
  run: Run,
  client: TqClient,
  flags: RedriveFlags,
): AsyncGenerator<readonly string[]> {
  const { queue, type, state = 'dead', limit = Infinity } = flags
  const filter: ListFilter = {
    state,
    ...(queue === undefined ? {} : { queue }),
    ...(type === undefined ? {} : { type }),
  }
  let left = limit
  let from: Pick<ListFilter, 'cursor'> = {}
  while (left > 0) {
    const rows = Math.min(left, limits.LIST_ROWS_MAX, limits.ITEMS_PER_REQUEST_MAX)
    const { tasks, cursor } = await client.list({ ...filter, ...from, limit: rows }, call(run))
    left -= tasks.length
    if (tasks.length > 0) yield tasks.map(({ id }) => id)
    if (cursor === undefined) return
    from = { cursor }
  }
}

function note(done: Redriven, ids: readonly string[], answer: ItemsAnswer): void {
  done.redriven += answer.ok
  for (const { index, code, message } of answer.refused) {
    done.refused.push({ id: ids[index] ?? '', code, message })
  }
}

/** Where there is no room for one, there is none for the thousands behind it. */
function isFull({ ok, refused }: ItemsAnswer): boolean {
  return ok === 0 && refused.some(({ code }) => code === 'RESOURCE_EXHAUSTED')
}

async function tellCount(run: Run, pages: AsyncIterable<readonly string[]>): Promise<void> {
  let count = 0
  for await (const some of pages) count += some.length
  run.terminal.note(`${showCount(count, 'task')} would be redriven`)
  printResult(run, { wouldRedrive: count }, () => '')
}

function tell(run: Run, done: Redriven): void {
  const { redriven, refused } = done
  const codes = refused.map(({ code }) => code)
  run.exitCode = exitCodeOfItems(redriven + refused.length, codes)
  run.terminal.note(`${showCount(redriven, 'task')} redriven, ${refused.length} refused`)
  printResult(run, done, () => renderRefused(refused, viewOf(run)))
}

function renderRefused(refused: readonly Refused[], view: View): string {
  if (refused.length === 0) return ''
  const rows = refused.map(({ id, code, message }) => {
    return [id, view.colors.red(`${code}: ${printable(message)}`)]
  })
  return renderTable([{ head: 'task' }, { head: 'refused' }], rows, view)
}
