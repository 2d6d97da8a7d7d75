// The bench: scenarios against fresh brokers, as tables, JSON and plots; and comparisons of both.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { brokerEntry, dataRoot, OWN_CHECKOUT } from './broker/broker-process.ts'
import { machineFacts } from './machine.ts'
import { ProfileFolder } from './profile/profile-report.ts'
import { compared, ofBroker } from './report/compared.ts'
import { writePlots } from './report/plots.ts'
import { FORMAT, readResultFile, type ResultFile, writeResultFile } from './report/result-file.ts'
import { comparisonTables, conditionsTable, tablesOf } from './report/table.ts'
import { helpText, type MeasureOrder, readArguments } from './run/arguments.ts'
import { runBench, type RunPlan } from './run/bench-run.ts'
import { UsageError } from './run/usage-error.ts'
import { SCENARIOS } from './scenario/scenarios.ts'

const DURABILITY = 'every commit synced before its replies leave'
const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130

/** A first signal ends the run in order: brokers and their data are taken away. */
const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort())

async function main(argv: readonly string[]): Promise<void> {
  const order = readArguments(argv, SCENARIOS)
  switch (order.kind) {
    case 'help':
      return tell(helpText(SCENARIOS).trimEnd())
    case 'compare':
      return compareFiles(order.a, order.b)
    case 'plot': {
      const results = order.files.flatMap((path) => readResultFile(path).results)
      return tellPlots(order.directory, results)
    }
    case 'measure':
      return measure(order)
  }
}

async function measure(order: MeasureOrder): Promise<void> {
  const folder = order.profile === undefined ? undefined : new ProfileFolder(order.profile)
  // Told of before the run, whose own load would hide what was there.
  const machine = machineFacts(dataRoot())
  const results = await runBench(planOf(order, folder))
  const { asked, warmUpTasks, rounds, isReused } = order
  const run = { warmUpTasks, rounds, isReused, isProfiled: folder !== undefined }
  const settings = { durability: DURABILITY, ...asked, ...run }
  const file: ResultFile = { format: FORMAT, machine, settings, results }
  tell(tablesOf(file))
  if (order.against !== undefined) {
    tell(`\nA is here, B is ${order.against}\n`)
    tell(comparisonTables(compared(ofBroker(file, 'here'), ofBroker(file, 'there'))))
  }
  if (order.out !== undefined) writeResultFile(order.out, file)
  if (order.plot !== undefined) tellPlots(order.plot, results)
  if (folder !== undefined) tell(`\n${folder.report()}`)
}

function planOf(order: MeasureOrder, folder: ProfileFolder | undefined): RunPlan {
  const { phases, rounds, asked, warmUpTasks, isReused } = order
  const nodeFlags = folder?.nodeFlags ?? []
  const here = { checkout: OWN_CHECKOUT, nodeFlags }
  const there = { checkout: otherCheckout(order.against), nodeFlags }
  return {
    scenarios: Object.fromEntries(
      Object.entries(SCENARIOS).filter(([name]) => phases.includes(name)),
    ),
    rounds,
    asked,
    warmUpTasks,
    isReused,
    brokers: order.against === undefined ? { here } : { here, there },
    onProgress: (line) => process.stderr.write(`${line}\n`),
    signal: interruption.signal,
  }
}

function otherCheckout(directory: string | undefined): string {
  if (directory === undefined) return OWN_CHECKOUT
  const checkout = resolve(directory)
  if (existsSync(brokerEntry(checkout))) return checkout
  throw new UsageError(`--against ${directory} has no built broker; run make build there first`)
}

function compareFiles(pathA: string, pathB: string): void {
  const [a, b] = [readResultFile(pathA), readResultFile(pathB)]
  const groups = compared(ofBroker(a, 'here'), ofBroker(b, 'here'))
  if (groups.length === 0) {
    throw new UsageError(`${pathA} and ${pathB} have no phase in common; measure the same in both`)
  }
  tell(`A is ${pathA}, B is ${pathB}\n`)
  const conditions = conditionsTable(a, b)
  if (conditions !== '') tell(`${conditions}\n`)
  tell(comparisonTables(groups))
}

function tellPlots(directory: string, results: ResultFile['results']): void {
  const paths = writePlots(directory, results, SCENARIOS)
  tell(paths.length === 0 ? '\nnothing here is drawn; see --help' : `\n${paths.join('\n')}`)
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (interruption.signal.aborted) {
    process.stderr.write('interrupted; nothing was written\n')
    process.exitCode = EXIT_INTERRUPTED
  } else if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = EXIT_USAGE
  } else throw error
}
