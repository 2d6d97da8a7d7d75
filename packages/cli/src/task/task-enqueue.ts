// `task enqueue`: one task, its payload from an argument, a file or stdin.

import { type TqClient, TqError } from '@tq/client'
import { type Command, InvalidArgumentError } from 'commander'
import { call, withClient } from '../connect.ts'
import { example } from '../help.ts'
import { readPayload } from '../payload-source.ts'
import { parseQueueName } from '../queue/queue-name.ts'
import { printResult, type Run } from '../run.ts'
import { UsageError } from '../usage-error.ts'
import { addEnqueueFlags, type EnqueueFlags, taskOptions } from './enqueue-flags.ts'
import { waitForEnd } from './task-end.ts'

export function addTaskEnqueue(task: Command, run: Run): void {
  const command = task
    .command('enqueue')
    .summary('add a task to a queue')
    .description(
      'Adds a task to a queue, and prints its id as soon as it is on stable storage. The payload is JSON; a worker gets the same value, over the wire as MessagePack. Without a payload it is null.',
    )
    .argument('<queue>', 'name of the queue', parseQueueName)
    .argument('<type>', 'what kind of task it is: workers choose their handler by it')
    .argument('[-]', 'reads the payload from stdin', parseDash)
  addEnqueueFlags(command)
  command
    .addHelpText(
      'after',
      example(`tq-admin task enqueue mail welcome --json '{"to":"ann"}' --wait`),
    )
    .action((queue: string, type: string, dash: '-' | undefined, flags: EnqueueFlags) =>
      enqueue(run, { queue, type }, dash === undefined ? flags : withDash(flags)),
    )
}

interface Target {
  readonly queue: string
  readonly type: string
}

async function enqueue(run: Run, target: Target, flags: EnqueueFlags): Promise<void> {
  const payload = await readPayload(flags, run.terminal.stdin)
  await withClient(run, (client) => send(run, client, { ...target, payload, flags }), {
    outlastsRestarts: flags.wait === true,
  })
}

async function send(
  run: Run,
  client: TqClient,
  what: Target & { readonly payload: unknown; readonly flags: EnqueueFlags },
): Promise<void> {
  const { queue, type, payload, flags } = what
  // Made before the request: if its answer is lost, the person can repeat it under the same id.
  const id = flags.id ?? client.newTaskId(queue)
  const options = { ...taskOptions(flags), id, call: call(run) }
  const handle = await client.enqueue(queue, type, payload, options).catch((error: unknown) => {
    throw withId(error, id)
  })
  const { existed } = handle
  const task = { id: handle.id, existed }
  if (existed) run.terminal.note(`nothing new: task ${handle.id} was enqueued before`)
  if (flags.wait !== true) return printResult(run, task, () => handle.id)
  if (!existed) run.terminal.note(`task ${handle.id} is enqueued; waiting for its end`)
  await waitForEnd(run, client, { id: handle.id, more: task })
}

function withDash(flags: EnqueueFlags): EnqueueFlags {
  if (flags.file === undefined && flags.json === undefined) return { ...flags, file: '-' }
  throw new UsageError('the payload is given twice; choose one of --json, --file and -')
}

/** Adds to an error that leaves the outcome open how to repeat the request safely. */
function withId(error: unknown, id: string): unknown {
  if (!(error instanceof TqError) || !leavesOutcomeOpen(error)) return error
  const advice = `Whether it was enqueued is not known. To repeat it safely add --id ${id}`
  return new TqError(error.code, `${error.message}\n${advice}`, error.details, error)
}

function leavesOutcomeOpen({ code, details }: TqError): boolean {
  if (code !== 'UNAVAILABLE') return code === 'TIMEOUT' || code === 'OUTCOME_UNKNOWN'
  // The SDK names the verb if the connection was lost under a request on its way; with a time beside
  // it, the request was never sent.
  return details['verb'] === 'enqueue' && details['afterMs'] === undefined
}

function parseDash(text: string): '-' {
  if (text === '-') return text
  throw new InvalidArgumentError(`Only - may stand here; a payload is given with --json '…'.`)
}
