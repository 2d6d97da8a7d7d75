// How a store command ends that is refused: in words, or with -o json as JSON like its reports.

import { TqError } from '@tq/client'
import { type ExitCode, exitCodeOfError } from '../exit-code.ts'
import { CommandRefusal } from '../refusal.ts'
import { printResult, type Run } from '../run.ts'

interface Refusal {
  readonly code: string
  readonly message: string
  readonly exitCode: ExitCode
}

/** Does the work; what it is refused is printed as `{ error: { code, message } }` if JSON was asked for. */
export async function answering(run: Run, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const refusal = refusalOf(error)
    const isJson = run.options().output === 'json'
    if (refusal === undefined || !isJson || run.terminal.interrupted.aborted) throw error
    const { code, message, exitCode } = refusal
    printResult(run, { error: { code, message } }, () => '')
    run.exitCode = exitCode
  }
}

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof CommandRefusal) {
    const { code, message, exitCode } = error
    return { code, message, exitCode }
  }
  if (!(error instanceof TqError)) return undefined
  const { code, message } = error
  return { code, message, exitCode: exitCodeOfError(code) }
}
