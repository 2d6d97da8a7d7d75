// The configuration's third source: flags, and what else the command line may ask for.

import yargs, { type Options } from 'yargs'
import { ConfigError } from './error.ts'
import type { OptionFacts } from './option.ts'
import { flagName, type OutlineOption } from './outline.ts'
import { writeQuantity } from './quantity.ts'
import { settingOf, type Setting } from './setting.ts'
import { similarName } from './suggestion.ts'

/** What the command does instead of running the broker. */
const ACTIONS = {
  help: 'Show this text.',
  version: 'Show the version.',
  'check-config': 'Check the configuration and exit.',
  'print-config-example': 'Print a configuration file with every option and its default.',
  'hash-token': 'Read an access token from standard input and print its line for auth.tokens.',
  'new-token': 'Make an access token; print it and its line for auth.tokens.',
} as const satisfies Record<string, string>

export type Action = keyof typeof ACTIONS | 'run'

export interface CommandLine {
  readonly action: Action
  readonly configFile: string | undefined
  readonly settings: readonly Setting[]
}

/** @throws {ConfigError} for flags that do not exist or lack their value. */
export async function readCommandLine(
  args: readonly string[],
  options: readonly OutlineOption[],
): Promise<CommandLine> {
  const problems = flagsWithoutSense(args, options)
  if (problems.length > 0) throw new ConfigError(problems)
  const names = [...Object.keys(ACTIONS), 'config', ...options.map(({ path }) => flagName(path))]
  const parsed: Readonly<Record<string, unknown>> = await parserOf(args, options)
    .fail((message: string) => {
      throw new ConfigError(explain(message, { names, args }))
    })
    .parse()
  const stray = parsed['_'] as readonly unknown[]
  if (stray.length > 0) throw new ConfigError([`${stray.join(' ')}: tq-broker takes flags only`])
  const given = (name: string): string | undefined => single(name, parsed[name])
  const settings = options.flatMap((option) => {
    const name = flagName(option.path)
    const text = given(name)
    return text === undefined ? [] : [settingOf(option, `--${name}`, text)]
  })
  const actions = Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]
  const action = actions.find((name) => parsed[name] === true) ?? 'run'
  return { action, configFile: given('config'), settings }
}

/** The text of --help. */
export async function commandLineHelp(options: readonly OutlineOption[]): Promise<string> {
  const parser = parserOf([], options).wrap(100)
  const example = 'Example: TQ_HTTP_PORT=0 tq-broker --config config.yml --data-dir /var/lib/tq'
  return `${await parser.getHelp()}\n\n${EPILOGUE}\n\n${example}`
}

const EPILOGUE = `Each option is also an environment variable (--http-port: TQ_HTTP_PORT) and a key of
the file that --config or TQ_CONFIG names. Flags win over the environment, the environment over the
file, the file over the defaults. Lists and maps are written as YAML on one line.`

function parserOf(
  args: readonly string[],
  options: readonly OutlineOption[],
): ReturnType<typeof yargs> {
  const all: Record<string, Options> = {
    config: {
      type: 'string',
      requiresArg: true,
      describe: 'Configuration file (YAML); TQ_CONFIG.',
    },
  }
  for (const [name, describe] of Object.entries(ACTIONS)) all[name] = { type: 'boolean', describe }
  for (const option of options) all[flagName(option.path)] = yargsOptionOf(option)
  return yargs([...args])
    .scriptName('tq-broker')
    .usage('$0 [flags]\n\nRuns the tq task queue server.')
    .exitProcess(false)
    .help(false)
    .version(false)
    .showHelpOnFail(false)
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .options(all)
    .strict()
}

function yargsOptionOf({ path, facts }: OutlineOption): Options {
  const [group] = path.length > 1 ? path : ['']
  const shared = {
    describe: facts.help,
    group: group === '' ? 'Options:' : `${group}:`,
    defaultDescription: defaultOf(facts),
  }
  if (facts.kind === 'flag') return { ...shared, type: 'boolean' }
  return { ...shared, type: 'string', requiresArg: true }
}

function defaultOf({ initial, unit }: OptionFacts): string {
  if (typeof initial === 'number' && unit !== undefined) return writeQuantity(initial, unit)
  return typeof initial === 'string' ? initial : JSON.stringify(initial)
}

/** yargs takes --allow-plaintext=maybe for false without a word. */
function flagsWithoutSense(args: readonly string[], options: readonly OutlineOption[]): string[] {
  const switches = new Set(
    options.filter(({ facts }) => facts.kind === 'flag').map(({ path }) => flagName(path)),
  )
  return args.flatMap((arg) => {
    const [, name = '', value = ''] = /^--([^=]+)=(.*)$/s.exec(arg) ?? []
    if (!switches.has(name) || value === 'true' || value === 'false') return []
    return [`--${name}: must be true or false; got ${JSON.stringify(value)}`]
  })
}

function single(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  throw new ConfigError([`--${name}: is given more than once; once is enough`])
}

/** yargs' words, with the flag that may have been meant. */
function explain(
  message: string,
  of: { readonly names: readonly string[]; readonly args: readonly string[] },
): string[] {
  const [, unknown] = /^Unknown arguments?: (.*)$/s.exec(message) ?? []
  if (unknown === undefined) return [message]
  return unknown.split(', ').map((name) => {
    if (of.args.includes(name)) return `${name}: tq-broker takes flags only`
    const near = similarName(name, of.names)
    const hint = near === undefined ? 'tq-broker --help lists all' : `did you mean --${near}?`
    return `--${name}: there is no such flag; ${hint}`
  })
}
