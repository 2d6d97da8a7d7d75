// `task cancel`: stops tasks; one that runs stops when its worker has confirmed it.

import { type ErrorCode, type TqClient } from '@tq/client'
import { limits } from '@tq/core'
import type { Command } from 'commander'
import { call, withClient } from '../connect.ts'
import { type ExitCode, exitCodeOfItems } from '../exit-code.ts'
import { example } from '../help.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { type CancelOutcome, renderCancelled } from './cancel-render.ts'

export function addTaskCancel(task: Command, run: Run): void {
  task
    .command('cancel')
    .summary('cancel tasks')
    .description(
      'Cancels tasks. What waits is cancelled at once; of what a worker holds the cancel is requested, and it is cancelled when the worker confirms or its lease ends.',
    )
    .argument('<id...>', 'ids of the tasks')
    .option('--reason <text>', 'why, for whoever looks at the task')
    .addHelpText(
      'after',
      example('tq-admin task cancel 01a1f866-0d00-7000-92eb-30557a9fc4e9 --reason "wrong address"'),
    )
    .action((ids: string[], flags: { readonly reason?: string }) =>
      withClient(run, async (client) => {
        const outcomes = await cancelAll(run, client, { ids, ...flags })
        run.exitCode = exitCodeOf(outcomes)
        printResult(run, { tasks: outcomes }, () => renderCancelled(outcomes, viewOf(run)))
      }),
    )
}

/** In as many requests as it takes. */
async function cancelAll(
  run: Run,
  client: TqClient,
  what: { readonly ids: readonly string[]; readonly reason?: string },
): Promise<CancelOutcome[]> {
  const { ids, ...options } = what
  const outcomes: CancelOutcome[] = []
  for (let from = 0; from < ids.length; from += limits.ITEMS_PER_REQUEST_MAX) {
    const some = ids.slice(from, from + limits.ITEMS_PER_REQUEST_MAX)
    const answer = await client.cancel(some, options, call(run))
    for (const [index, id] of some.entries()) outcomes.push(outcomeOf(answer, index, id))
  }
  return outcomes
}

function outcomeOf(
  answer: Awaited<ReturnType<TqClient['cancel']>>,
  index: number,
  id: string,
): CancelOutcome {
  const refusal = answer.refused.find((each) => each.index === index)
  if (refusal !== undefined) {
    return { id, outcome: 'refused', code: refusal.code, message: refusal.message }
  }
  const isOld = answer.already.includes(index)
  return { id, outcome: answer.outcomes[index] ?? 'cancelled', already: isOld }
}

function exitCodeOf(outcomes: readonly CancelOutcome[]): ExitCode {
  const codes = outcomes.map(({ code }) => code)
  const refused = codes.filter((code): code is ErrorCode => code !== undefined)
  return exitCodeOfItems(outcomes.length, refused)
}
