// One run of tq-admin: its terminal, its global options, and how it will end.

import { systemClock } from '@tq/core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from './duration.ts'
import { EXIT_CODES, type ExitCode } from './exit-code.ts'
import type { View } from './table.ts'
import type { Terminal } from './terminal.ts'

/** The options that every command has. */
export interface GlobalOptions {
  readonly address?: readonly string[]
  readonly tokenFile?: string
  readonly output: 'table' | 'json'
  /** Longest time for an answer; for a wait, until the task has ended. In ms. */
  readonly timeout?: number
}

export interface Run {
  readonly terminal: Terminal
  readonly options: () => GlobalOptions
  /** What the process ends with if nothing fails. */
  exitCode: ExitCode
}

/** Version of the JSON that `-o json` prints; it grows if a field goes or changes its meaning. */
const JSON_SCHEMA = 1
/** Timers of Node end at once beyond 2^31 ms, and nobody waits for longer. */
const TIMEOUT_TEXT_MAX = '20d'
const TIMEOUT_MS_MAX = parseDuration(TIMEOUT_TEXT_MAX)

export function makeRun(program: Command, terminal: Terminal): Run {
  return { terminal, options: () => program.opts<GlobalOptions>(), exitCode: EXIT_CODES.ok.code }
}

export function addGlobalOptions(program: Command): void {
  program
    .addOption(
      new Option(
        '-a, --address <host:port>',
        'a broker; several, repeated or with commas, are tried in turn (default: TQ_ADDRESS, else 127.0.0.1:7461)',
      ).argParser(parseAddresses),
    )
    .option(
      '--token-file <path>',
      'file that holds the access token (default: what TQ_TOKEN holds)',
    )
    .addOption(
      new Option('-o, --output <format>', 'how data is printed')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addOption(
      new Option(
        '--timeout <duration>',
        'longest time to wait, such as 500ms, 5s, 10m (default: 30s for an answer, no limit for the end of a task)',
      ).argParser(parseTimeout),
    )
}

/** Prints JSON if that was asked for, else what `table` makes; nothing if that is empty. */
export function printResult(run: Run, json: object, table: () => string): void {
  const { print } = run.terminal
  if (run.options().output === 'json') return print(jsonText({ schema: JSON_SCHEMA, ...json }))
  const text = table()
  if (text !== '') print(text)
}

/** How tables are to look here and now. */
export function viewOf({ terminal }: Run): View {
  const { isScreen, width, colors } = terminal
  return { isScreen, width, colors, nowMs: systemClock.wallMs() }
}

export function splitAddresses(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function parseAddresses(text: string, before: readonly string[] | undefined): readonly string[] {
  const named = splitAddresses(text)
  if (named.length === 0) throw new InvalidArgumentError('Name a broker, such as 127.0.0.1:7461.')
  return [...(before ?? []), ...named]
}

function parseTimeout(text: string): number {
  const timeoutMs = parseDuration(text)
  if (timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX) return timeoutMs
  throw new InvalidArgumentError(`It must be 1ms or more, and at most ${TIMEOUT_TEXT_MAX}.`)
}

/** JSON.stringify leaves control characters of the second kind as they are; a screen obeys them. */
function jsonText(value: object): string {
  const escape = (character: string): string => `\\u00${character.charCodeAt(0).toString(16)}`
  return JSON.stringify(value, null, 2).replace(/[\u007f-\u009f]/g, escape)
}
