// tq-admin as a whole: its commands, and how a run of it ends.

import { TqError } from '@tq/client'
import { Command, CommanderError } from 'commander'
import { addBrokerWait } from './broker/broker-wait.ts'
import { addStartupLog } from './broker/startup-log.ts'
import { addDoctor } from './doctor/doctor.ts'
import { EXIT_CODES, type ExitCode, exitCodeOfError, exitCodesText } from './exit-code.ts'
import { example } from './help.ts'
import { addQueuePause, addQueueResume } from './queue/queue-pause.ts'
import { addQueuePurge } from './queue/queue-purge.ts'
import { addQueueStats } from './queue/queue-stats.ts'
import { CommandRefusal } from './refusal.ts'
import { addGlobalOptions, makeRun, type Run } from './run.ts'
import { addStoreBackup } from './store/store-backup.ts'
import { addStoreCheck } from './store/store-check.ts'
import { addStoreRestore } from './store/store-restore.ts'
import { addStoreSalvage } from './store/store-salvage.ts'
import { addStoreVerify } from './store/store-verify.ts'
import { addTaskCancel } from './task/task-cancel.ts'
import { addTaskEnqueue } from './task/task-enqueue.ts'
import { addTaskGet } from './task/task-get.ts'
import { addTaskList } from './task/task-list.ts'
import { addTaskRedrive } from './task/task-redrive.ts'
import { addTaskWait } from './task/task-wait.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { CLI_VERSION } from './version.ts'
import { addWorkerList } from './worker/worker-list.ts'

/**
 * Runs tq-admin with these arguments (without the names of node and the script). Writes to the
 * terminal only, never ends the process, and never rejects: whatever happens is an exit code.
 */
export async function runAdmin(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const program = new Command('tq-admin')
  const run = makeRun(program, terminal)
  describe(program, terminal)
  addGlobalOptions(program)
  addCommands(program, run)
  try {
    await Promise.race([program.parseAsync([...args], { from: 'user' }), interruption(terminal)])
    return run.exitCode
  } catch (error) {
    return explain(error, terminal)
  }
}

function describe(program: Command, terminal: Terminal): void {
  const { width, noteColors } = terminal
  program
    .description(
      'Operates a tq broker: enqueues tasks and looks at them, redrives dead ones, pauses and purges queues, lists workers, backs up and checks stores.',
    )
    .version(CLI_VERSION, '-V, --version', 'print the version')
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error:/, noteColors.red('error:'))),
      getOutHelpWidth: () => width,
      getErrHelpWidth: () => width,
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(add --help to see how it is used)')
    .exitOverride()
    .addHelpText('after', `\n${exitCodesText()}`)
    .addHelpText('after', example('tq-admin task list --queue mail --state dead'))
}

function addCommands(program: Command, run: Run): void {
  const task = program
    .command('task')
    .description('enqueue, show, list, cancel, redrive and wait for tasks')
  addTaskEnqueue(task, run)
  addTaskGet(task, run)
  addTaskList(task, run)
  addTaskCancel(task, run)
  addTaskRedrive(task, run)
  addTaskWait(task, run)
  task.addHelpText('after', example('tq-admin task list --state running'))
  const queue = program.command('queue').description('count, pause, resume and purge queues')
  addQueueStats(queue, run)
  addQueuePause(queue, run)
  addQueueResume(queue, run)
  addQueuePurge(queue, run)
  queue.addHelpText('after', example('tq-admin queue stats'))
  const worker = program.command('worker').description('list workers')
  addWorkerList(worker, run)
  worker.addHelpText('after', example('tq-admin worker list'))
  const broker = program.command('broker').description('wait until a broker is ready')
  addBrokerWait(broker, run)
  broker.addHelpText('after', example('tq-admin broker wait'))
  addStartupLog(program, run)
  addDoctor(program, run)
  const store = program.command('store').description('back up, restore, check and salvage stores')
  addStoreBackup(store, run)
  addStoreVerify(store, run)
  addStoreRestore(store, run)
  addStoreCheck(store, run)
  addStoreSalvage(store, run)
  store.addHelpText('after', example('tq-admin store backup tq-monday.backup'))
}

/** Rejects when the person presses Ctrl-C: nothing that a command waits for may hold it back. */
function interruption({ interrupted }: Terminal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(interrupted.reason as Error)
    if (interrupted.aborted) return stop()
    interrupted.addEventListener('abort', stop, { once: true })
  })
}

/** Tells what went wrong in words, and as an exit code. */
function explain(error: unknown, terminal: Terminal): ExitCode {
  if (terminal.interrupted.aborted) {
    terminal.note('interrupted')
    return EXIT_CODES.interrupted.code
  }
  if (error instanceof CommanderError) {
    // It has written already: its help, or what is wrong with the arguments.
    return error.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code
  }
  const [text, code] = describeError(error)
  terminal.note(`${terminal.noteColors.red('error:')} ${text}`)
  return code
}

function describeError(error: unknown): readonly [text: string, code: ExitCode] {
  if (error instanceof CommandRefusal) return [error.message, error.exitCode]
  if (error instanceof UsageError) return [error.message, EXIT_CODES.usage.code]
  if (error instanceof TqError) {
    // Advice stands on lines of its own, below the code.
    const text = error.message.replace(/\n|$/, (end) => ` (${error.code})${end}`)
    return [text, exitCodeOfError(error.code)]
  }
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [`a bug in tq-admin: ${what}`, EXIT_CODES.failed.code]
}
