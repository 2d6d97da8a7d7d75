#!/usr/bin/env node
// The command tq-admin: a terminal around runAdmin.

import { EXIT_CODES } from './exit-code.ts'
import { runAdmin } from './program.ts'
import { terminalOf } from './terminal.ts'

const interruption = new AbortController()
// Once: a second Ctrl-C ends the process whatever it does.
process.once('SIGINT', () => interruption.abort(new Error('interrupted')))
// Whoever reads the output may stop reading, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT_CODES.ok.code : EXIT_CODES.failed.code)
})

process.exitCode = await runAdmin(process.argv.slice(2), terminalOf(process, interruption.signal))
// What is still open, such as stdin, must not keep an interrupted command alive.
if (interruption.signal.aborted) process.exit()
