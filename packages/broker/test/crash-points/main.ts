// The long run: MODE=process|signal|error, COUNT=, SEED=, JOBS=.

import { failAt } from './error-point.ts'
import { sweepFiles } from './file-sweep.ts'
import { killAt, type PointResult } from './kill-point.ts'
import { ERROR_ARMS, KILL_ARMS } from './point-plan.ts'
import { sweepPort } from './port-sweep.ts'
import { type Injection, nameOf, stracelessReason } from './straced-broker.ts'
import { sweep, tallyText } from './sweep.ts'

const PROGRESS_EVERY = 20
/** Requests of each of the two lives of a scenario at the storage port. */
const OPERATIONS = 100

const { MODE = 'signal', COUNT, SEED, JOBS = '2' } = process.env
const seed = Number(SEED ?? Date.now() % 1_000_000)

process.exitCode = (await run()) ? 0 : 1

function run(): Promise<boolean> {
  print(`MODE=${MODE} SEED=${seed}`)
  switch (MODE) {
    case 'process':
      return inProcess(Number(COUNT ?? 1))
    case 'signal':
    case 'error':
      return underStrace(MODE, Number(COUNT ?? 1_000))
    default:
      print('MODE must be process, signal or error')
      return Promise.resolve(false)
  }
}

/** @param count Scenarios; each is stopped at each of its calls. */
async function inProcess(count: number): Promise<boolean> {
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
  return violations.length === 0
}

async function underStrace(mode: 'signal' | 'error', count: number): Promise<boolean> {
  const lacking = stracelessReason()
  if (lacking !== undefined) {
    print(`skipped: ${lacking}`)
    return true
  }
  const isError = mode === 'error'
  let visited = 0
  const report = await sweep({
    arms: isError ? ERROR_ARMS : KILL_ARMS,
    visit: isError ? failAt : killAt,
    seed,
    count,
    jobs: Number(JOBS),
    onPoint: (point, result) => {
      visited += 1
      if (visited % PROGRESS_EVERY === 0) print(`${visited} points`)
      complain(point, result)
    },
  })
  print(tallyText(report))
  return report.violations.length === 0
}

function complain(point: Injection, { violations }: PointResult): void {
  for (const text of violations) print(`VIOLATION at ${nameOf(point)}: ${text}`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
