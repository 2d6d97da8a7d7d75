// `task get`: one task with its history.

import type { Command } from 'commander'
import { call, withClient } from '../connect.ts'
import { example } from '../help.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { taskJson } from './task-json.ts'
import { renderTask } from './task-render.ts'

export function addTaskGet(task: Command, run: Run): void {
  task
    .command('get')
    .summary('show a task: state, lease, attempts, result')
    .description(
      'Shows a task: its state and options, who holds it, what happened to it, its result.',
    )
    .argument('<id>', 'id of the task')
    .option('--payload', 'show its payload too')
    .addHelpText('after', example('tq-admin task get 01a1f866-0d00-7000-92eb-30557a9fc4e9'))
    .action((id: string, flags: { readonly payload?: boolean }) =>
      withClient(run, async (client) => {
        const found = await client.get(id, flags, call(run))
        printResult(run, { task: taskJson(found) }, () => renderTask(found, viewOf(run)))
      }),
    )
}
