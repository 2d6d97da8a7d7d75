// The face of @tq/cli: tq-admin as a function, for programs that embed it.

export { EXIT_CODES, type ExitCode } from './exit-code.ts'
export { runAdmin } from './program.ts'
export { type Colors, type Terminal, terminalOf } from './terminal.ts'
