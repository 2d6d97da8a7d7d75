// `doctor`: asks a broker how it does, and says what to do about it.

import { type TqClient, TqError } from '@tq/client'
import { systemClock } from '@tq/core'
import type { Command } from 'commander'
import { call, withClient } from '../connect.ts'
import { EXIT_CODES, type ExitCode, exitCodeOfError } from '../exit-code.ts'
import { example } from '../help.ts'
import { printable } from '../printable.ts'
import { printResult, type Run, viewOf } from '../run.ts'
import { type Cells, renderTable, type View } from '../table.ts'
import { CLI_VERSION } from '../version.ts'
import { diagnose, type Examination, type Line, type Verdict, worstOf } from './diagnosis.ts'

/** By the worst line: a supervisor or a cron job may go by it. */
const EXIT_BY_VERDICT: Readonly<Record<Verdict, ExitCode>> = {
  ok: EXIT_CODES.ok.code,
  // Nothing is amiss as far as can be told: a script that has just started a broker goes on.
  early: EXIT_CODES.ok.code,
  warn: EXIT_CODES.look.code,
  fail: EXIT_CODES.wrong.code,
}

interface Findings {
  readonly lines: readonly Line[]
  /** That of the broker not being reached, if it was not. */
  readonly exitCode: ExitCode
}

const COLUMNS = [{ head: '' }, { head: 'looked at' }, { head: 'found' }]

export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .summary('is the broker well, and what is to be done?')
    .description(
      'Asks a running broker how it does: disk, commits, limits, clocks, workers, queues that nobody works on, dead letters. Says what to do about what is not well. Ends with 0 if nothing is amiss, with 8 if something deserves a look, with 9 if something is wrong, with 6 if no broker is reached.',
    )
    .addHelpText('after', example('tq-admin doctor'))
    .action(async () => {
      const { lines, exitCode } = await examined(run)
      const verdict = worstOf(lines)
      printResult(run, { verdict, lines }, () => renderLines(lines, viewOf(run)))
      run.exitCode = exitCode
      if (verdict !== 'early' || run.options().output === 'json') return
      run.terminal.note('nothing amiss so far; ask again when the broker has been up for a minute')
    })
}

async function examined(run: Run): Promise<Findings> {
  let lines: readonly Line[] = []
  try {
    await withClient(run, async (client) => {
      lines = diagnose(await examine(run, client))
    })
    return { lines, exitCode: EXIT_BY_VERDICT[worstOf(lines)] }
  } catch (error) {
    if (!(error instanceof TqError) || run.terminal.interrupted.aborted) throw error
    const [what = '', ...advice] = error.message.split('\n')
    const line = { name: 'reachable', verdict: 'fail', what } as const
    return {
      lines: [{ ...line, advice: advice.join(' ') || error.code }],
      exitCode: exitCodeOfError(error.code),
    }
  }
}

async function examine(run: Run, client: TqClient): Promise<Examination> {
  const options = call(run)
  const { wallMs, sentAtMs, roundTripMs } = await timedPing(client, options)
  const { queues, broker } = await client.stats(undefined, options)
  const workers = await client.workers(options)
  const reports = await client.startupLog(options)
  const skewMs = wallMs - (sentAtMs + roundTripMs / 2)
  return { queues, broker, workers, reports, version: CLI_VERSION, roundTripMs, skewMs }
}

async function timedPing(
  client: TqClient,
  options: ReturnType<typeof call>,
): Promise<{ readonly wallMs: number; readonly sentAtMs: number; readonly roundTripMs: number }> {
  const sentAtMs = systemClock.wallMs()
  const sinceMs = systemClock.monotonicMs()
  const { wallMs } = await client.ping(options)
  return { wallMs, sentAtMs, roundTripMs: systemClock.monotonicMs() - sinceMs }
}

function renderLines(lines: readonly Line[], view: View): string {
  const { colors } = view
  const paint: Readonly<Record<Verdict, (text: string) => string>> = {
    ok: colors.green,
    early: colors.cyan,
    warn: colors.yellow,
    fail: colors.red,
  }
  const rows = lines.map(({ name, verdict, what, advice }): Cells => {
    const found = advice === undefined ? what : `${what}\n-> ${advice}`
    return [paint[verdict](verdict), name, found.split('\n').map(printable).join('\n')]
  })
  return renderTable(COLUMNS, rows, view)
}
