// The command line of the bench: what is to be done, or a sentence about what is wrong with it.

import { parseArgs, type ParseArgsConfig } from 'node:util'
import type { AskedSettings } from '../scenario/load-settings.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { UsageError } from './usage-error.ts'

export interface MeasureOrder {
  readonly kind: 'measure'
  readonly phases: readonly string[]
  readonly rounds: number
  readonly warmUpTasks: number
  readonly asked: AskedSettings
  readonly isReused: boolean
  /** Another checkout, measured in turn with this one. */
  readonly against: string | undefined
  readonly out: string | undefined
  readonly plot: string | undefined
  readonly profile: string | undefined
}

export type BenchOrder =
  | MeasureOrder
  | { readonly kind: 'help' }
  | { readonly kind: 'compare'; readonly a: string; readonly b: string }
  | { readonly kind: 'plot'; readonly files: readonly string[]; readonly directory: string }

type Scenarios = Readonly<Record<string, Scenario>>

const OPTIONS = {
  phase: { type: 'string' },
  tasks: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  minutes: { type: 'string' },
  payload: { type: 'string' },
  connections: { type: 'string' },
  'connections-max': { type: 'string' },
  'waiting-max': { type: 'string' },
  retention: { type: 'string' },
  'warm-up': { type: 'string' },
  reuse: { type: 'boolean' },
  against: { type: 'string' },
  out: { type: 'string' },
  plot: { type: 'string' },
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options']

/** @throws {UsageError} */
export function readArguments(argv: readonly string[], scenarios: Scenarios): BenchOrder {
  const { values, positionals } = parsed(argv)
  if (values.help === true) return { kind: 'help' }
  const [command, ...files] = positionals
  if (command === undefined) return measureOrder(values, scenarios)
  if (command === 'compare') return compareOrder(files)
  if (command === 'plot') return plotOrder(files, values.plot)
  throw new UsageError(`"${command}" is no command; there are compare and plot, or none to measure`)
}

export function helpText(scenarios: Scenarios): string {
  const width = Math.max(...Object.keys(scenarios).map((name) => name.length))
  const lines = Object.entries(scenarios).map(
    ([name, { summary, isQuick }]) => `  ${isQuick ? '*' : ' '} ${name.padEnd(width)}  ${summary}`,
  )
  return `Measures a broker that syncs every commit, in a process of its own, under load from two others.

  make bench PHASE=mixed,drain N=50000 ARGS="--rounds 5 --out a.json"
  make bench ARGS="compare a.json b.json"
  make bench ARGS="plot a.json --plot plots"

Phases (* are measured if none is named; "all" is all):
${lines.join('\n')}

Options:
  --phase a,b        what to measure
  --tasks n          tasks of a measurement (50,000)
  --rounds n         all of it so many times, in turn; medians are told (1)
  --seconds s        length of an open loop (10)
  --minutes m        length of the steady load (10)
  --payload bytes    payload of a task (200)
  --connections n    of the producers, and as many workers (4)
  --connections-max  most connections of the phase of that name (2,000)
  --waiting-max n    most waiting tasks of the backlog phases (5,000,000)
  --retention n      ended tasks that a queue keeps; "default" is what the product keeps (0)
  --warm-up n        tasks before each measurement (100,000)
  --reuse            one broker for all: quick, for trying out; no figure to be quoted
  --against dir      another checkout, built: both brokers in turn, and compared
  --out file         all values as JSON
  --plot dir         plots as SVG
  --profile dir      CPU profiles of the broker, and its top ten; no speed to be quoted

BENCH_DIR names the folder for the broker's data: the disk that is measured.
`
}

function parsed(argv: readonly string[]): {
  readonly values: Values
  readonly positionals: readonly string[]
} {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split('. ')
    throw new UsageError(`${sentence.replace(/\.$/, '')}; --help lists what there is`)
  }
}

type Values = {
  readonly [Name in keyof typeof OPTIONS]?: (typeof OPTIONS)[Name]['type'] extends 'boolean'
    ? boolean | undefined
    : string | undefined
}

/** @throws {UsageError} */
function measureOrder(values: Values, scenarios: Scenarios): MeasureOrder {
  if (values.profile !== undefined && values.against !== undefined) {
    throw new UsageError('--profile slows both brokers down; --against goes without it')
  }
  const { retention = '0' } = values
  return {
    kind: 'measure',
    phases: phasesOf(values.phase, scenarios),
    rounds: numberOf(values, 'rounds', { standard: 1, min: 1, max: 1_000 }),
    warmUpTasks: numberOf(values, 'warm-up', { standard: 100_000, min: 0, max: 10_000_000 }),
    asked: {
      tasks: numberOf(values, 'tasks', { standard: 50_000, min: 1, max: 10_000_000 }),
      seconds: numberOf(values, 'seconds', { standard: 10, min: 0.1, max: 3_600 }),
      minutes: numberOf(values, 'minutes', { standard: 10, min: 0.01, max: 1_440 }),
      payloadBytes: numberOf(values, 'payload', { standard: 200, min: 0, max: 1_048_576 }),
      connections: numberOf(values, 'connections', { standard: 4, min: 1, max: 4_000 }),
      connectionsMax: numberOf(values, 'connections-max', { standard: 2_000, min: 2, max: 8_000 }),
      waitingMax: numberOf(values, 'waiting-max', { standard: 5_000_000, min: 1, max: 9_000_000 }),
      retentionCount:
        retention === 'default'
          ? undefined
          : numberOf(values, 'retention', { standard: 0, min: 0, max: 10_000_000 }),
    },
    isReused: values.reuse ?? false,
    against: values.against,
    out: values.out,
    plot: values.plot,
    profile: values.profile,
  }
}

/** Without a name the quick ones. @throws {UsageError} */
function phasesOf(text: string | undefined, scenarios: Scenarios): readonly string[] {
  const known = Object.keys(scenarios)
  if (text === undefined) return known.filter((name) => scenarios[name]?.isQuick)
  if (text === 'all') return known
  const names = text.split(',').filter((name) => name !== '')
  const unknown = names.find((name) => !Object.hasOwn(scenarios, name))
  if (unknown !== undefined) {
    throw new UsageError(`there is no phase "${unknown}"; there are ${known.join(', ')}, and all`)
  }
  if (names.length === 0) throw new UsageError(`--phase names none; there are ${known.join(', ')}`)
  return [...new Set(names)]
}

interface Range {
  readonly standard: number
  readonly min: number
  readonly max: number
}

/** Options of lengths of time may have fractions, all others count something. */
const FRACTIONS: ReadonlySet<string> = new Set(['seconds', 'minutes'])

/** @throws {UsageError} */
function numberOf(values: Values, name: keyof Values, { standard, min, max }: Range): number {
  const text = values[name]
  if (typeof text !== 'string') return standard
  const isFraction = FRACTIONS.has(name)
  const value = (isFraction ? /^\d+(\.\d+)?$/ : /^\d+$/).test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  const kind = isFraction ? 'a number' : 'a whole number'
  const bounds = `from ${min} to ${max}`
  throw new UsageError(`--${name} is "${text}"; it must be ${kind} ${bounds}, such as ${standard}`)
}

function compareOrder(files: readonly string[]): BenchOrder {
  const [a, b, ...more] = files
  if (a === undefined || b === undefined || more.length > 0) {
    throw new UsageError('compare takes two files that --out has written: compare A.json B.json')
  }
  return { kind: 'compare', a, b }
}

function plotOrder(files: readonly string[], directory: string | undefined): BenchOrder {
  if (files.length === 0 || directory === undefined) {
    throw new UsageError('plot takes files and a folder: plot A.json --plot dir')
  }
  return { kind: 'plot', files, directory }
}
