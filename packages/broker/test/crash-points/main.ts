// The long run: MODE=process|signal|error, COUNT= (scenarios of a process; else kills or failures that
// have fired), SEED=, JOBS=.

import { EXIT_NO_VERDICT, EXIT_VIOLATED, parameters } from '../run-parameters.ts'
import { failAt } from './error-point.ts'
import { sweepFiles } from './file-sweep.ts'
import { killAt, type PointResult } from './kill-point.ts'
import { ERROR_ARMS, KILL_ARMS } from './point-plan.ts'
import { sweepPort } from './port-sweep.ts'
import { type Injection, nameOf, stracelessReason } from './straced-broker.ts'
import { shortfallText, sweep, tallyText } from './sweep.ts'

const PROGRESS_EVERY = 20
/** Requests of each of the two lives of a scenario at the storage port. */
const OPERATIONS = 100

const mode = parameters.choice('MODE', ['process', 'signal', 'error']) ?? 'signal'
const count = parameters.count('COUNT', mode === 'process' ? 1 : 1_000)
const seed = parameters.number('SEED', Date.now() % 1_000_000)
const jobs = parameters.count('JOBS', 2)

print(`MODE=${mode} SEED=${seed}`)
process.exitCode = await (mode === 'process' ? inProcess() : underStrace(mode))

/** Each scenario is stopped at each of its calls. */
async function inProcess(): Promise<number> {
  const files = await sweepFiles()
  print(`small files: ${files.pointCount} points`)
  const violations = [...files.violations]
  let pointCount = files.pointCount
  for (let scenario = 0; scenario < count; scenario += 1) {
    const port = await sweepPort({ seed: seed + scenario, operations: OPERATIONS })
    print(`scenario with SEED=${seed + scenario}: ${port.pointCount} points`)
    violations.push(...port.violations)
    pointCount += port.pointCount
  }
  for (const text of violations) print(`VIOLATION at ${text}`)
  print(`in all: ${pointCount} points, violations ${violations.length}`)
  return violations.length === 0 ? 0 : EXIT_VIOLATED
}

async function underStrace(how: 'signal' | 'error'): Promise<number> {
  const lacking = stracelessReason()
  if (lacking !== undefined) {
    print(`no verdict, nothing ran: ${lacking}`)
    return EXIT_NO_VERDICT
  }
  const isError = how === 'error'
  let visited = 0
  const report = await sweep({
    arms: isError ? ERROR_ARMS : KILL_ARMS,
    visit: isError ? failAt : killAt,
    seed,
    count,
    jobs,
    onPoint: (point, result) => {
      visited += 1
      if (visited % PROGRESS_EVERY === 0) print(`${visited} points`)
      complain(point, result)
    },
  })
  print(tallyText(report))
  print(shortfallText(report, count))
  if (report.violations.length > 0) return EXIT_VIOLATED
  return report.fired === 0 ? EXIT_NO_VERDICT : 0
}

function complain(point: Injection, { violations }: PointResult): void {
  for (const text of violations) print(`VIOLATION at ${nameOf(point)}: ${text}`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
