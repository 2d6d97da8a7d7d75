// What tq-worker may be told: flags over TQ_… environment over defaults.

import { readFileSync } from 'node:fs'
import yargs from 'yargs'
import { UsageError } from './handler-module.ts'
import { WORKER_VERSION } from './worker-version.ts'

export interface WorkerFlags {
  readonly module: string
  readonly queues: readonly string[]
  readonly addresses: readonly string[]
  readonly name: string
  readonly labels: Readonly<Record<string, string | number | boolean>>
  readonly concurrency: number
  readonly leaseMs: number
  readonly drainMs: number
  readonly order: 'round' | 'strict'
  readonly minPriority: number | undefined
  readonly token: string | undefined
  readonly logLevel: string
}

/** Flags, or a text to print instead of running: help or the version. */
export type CommandLine =
  | { readonly kind: 'run'; readonly flags: WorkerFlags }
  | { readonly kind: 'print'; readonly text: string }

/**
 * Reads the command line. The token comes from a file or from `TQ_TOKEN`: a flag would show it to
 * everybody who may list processes.
 * @throws {UsageError}
 */
export async function readWorkerFlags(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<CommandLine> {
  const parser = parserFor(argv)
  if (argv.includes('--help') || argv.includes('-h')) {
    return { kind: 'print', text: await parser.getHelp() }
  }
  if (argv.includes('--version')) return { kind: 'print', text: WORKER_VERSION }
  const read = await parser.parseAsync()
  const text = (name: string): string | undefined => {
    const value = (read as Readonly<Record<string, string | readonly string[] | undefined>>)[name]
    if (value === undefined) return environment[variableOf(name)]
    return typeof value === 'string' ? value : value.join(',')
  }
  return { kind: 'run', flags: flagsFrom(text, environment) }
}

function flagsFrom(
  text: (name: string) => string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): WorkerFlags {
  const order = text('order') ?? 'round'
  if (order !== 'round' && order !== 'strict') {
    throw new UsageError(`--order must be round or strict, not "${order}"`)
  }
  const minPriority = text('min-priority')
  return {
    module: needed('module', text('module')),
    queues: listOf(needed('queues', text('queues'))),
    addresses: listOf(text('address') ?? '127.0.0.1:7461'),
    name: text('name') ?? `tq-worker-${process.pid}`,
    labels: labelsOf(text('label')),
    concurrency: numberOf('concurrency', text('concurrency') ?? '16'),
    leaseMs: numberOf('lease-ms', text('lease-ms') ?? '15000'),
    drainMs: numberOf('drain-ms', text('drain-ms') ?? '30000'),
    order,
    minPriority: minPriority === undefined ? undefined : numberOf('min-priority', minPriority),
    token: tokenOf(text('token-file'), environment),
    logLevel: text('log-level') ?? 'info',
  }
}

function parserFor(argv: readonly string[]): ReturnType<typeof yargs> {
  const option = (describe: string): { describe: string; type: 'string'; requiresArg: true } => ({
    describe,
    type: 'string',
    requiresArg: true,
  })
  return yargs([...argv])
    .scriptName('tq-worker')
    .usage('$0 --module FILE --queues NAMES\n\nRuns a module of task handlers.')
    .options({
      module: option('module that exports handlers: { type: async (task, context) => result }'),
      queues: option('queues to claim from, separated by commas'),
      address: option('broker as host:port; several, separated by commas, are tried in turn'),
      name: option('how the registry shows this worker'),
      label: option('what this worker can do, as name=value; several, separated by commas'),
      concurrency: option('most tasks at a time (16)'),
      'lease-ms': option('length of a lease in ms; heartbeats renew it (15000)'),
      'drain-ms': option('how long SIGTERM lets running tasks go on, in ms (30000)'),
      order: option('how several queues are visited: round or strict (round)'),
      'min-priority': option('claim no task below this priority'),
      'token-file': option('file with the access token; or set TQ_TOKEN'),
      'log-level': option('debug, info, warn or error (info)'),
    })
    .example('$0 --module ./handlers.mjs --queues mail,images', 'run handlers for two queues')
    .epilogue('Each flag may also be set as TQ_… in the environment: TQ_LEASE_MS=20000.')
    .strict()
    .version(false)
    .help(false)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError(message)
    })
}

function variableOf(name: string): string {
  return `TQ_${name.toUpperCase().replaceAll('-', '_')}`
}

function needed(name: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value
  throw new UsageError(`--${name} is missing; see tq-worker --help`)
}

function listOf(text: string): string[] {
  return text.split(',').filter((part) => part !== '')
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0) return value
  throw new UsageError(`--${name} must be a whole number, not "${text}"`)
}

function labelsOf(text: string | undefined): Record<string, string | number | boolean> {
  const labels: Record<string, string | number | boolean> = {}
  for (const part of listOf(text ?? '')) {
    const at = part.indexOf('=')
    if (at < 1) throw new UsageError(`--label must be name=value, not "${part}"`)
    labels[part.slice(0, at)] = labelValueOf(part.slice(at + 1))
  }
  return labels
}

/** `gpu=true` and `cores=8` mean what requirements with the same literals mean. */
function labelValueOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

function tokenOf(
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (file === undefined) return environment['TQ_TOKEN']
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`--token-file: ${error instanceof Error ? error.message : String(error)}`)
  }
}
