// Why a command was not carried out, beside what a broker refuses: the text, and how tq-admin ends.

import type { ExitCode } from './exit-code.ts'

/** Its text is all that is shown. */
export class CommandRefusal extends Error {
  override readonly name = 'CommandRefusal'
  readonly exitCode: ExitCode
  /** The same for programs. */
  readonly code: string

  constructor(exitCode: ExitCode, message: string, code = 'refused') {
    super(message)
    this.exitCode = exitCode
    this.code = code
  }
}
