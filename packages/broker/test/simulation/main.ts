// Runs the simulation from the command line; docs/reliability.md names the variables.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '../bundle.ts'
import { parameters } from '../run-parameters.ts'
import { SimulationFailure } from './failure.ts'
import { Fleet, type Outcome } from './fleet.ts'
import { keepSeed } from './kept-seeds.ts'
import { planOf, replayLine } from './plan.ts'
import { shrink } from './shrink.ts'
import { runSimulation } from './simulation.ts'
import { Tally } from './tally.ts'

const plan = planOf(parameters)
const seeds = parameters.count('SEEDS', 1)
const jobs = parameters.count('JOBS', 1)
const doubles = parameters.number('DOUBLE', 0)
const isKept = parameters.flag('KEEP', true)
const isTraced = parameters.flag('TRACE', false)
const shrinkMs = 1_000 * parameters.number('SHRINK_SECONDS', 60)
const PROGRESS_MS = 30_000
const CHILD = fileURLToPath(new URL('../children/simulation-child.ts', import.meta.url))

if (seeds === 1) await runOne()
else await runMany()

async function runOne(): Promise<void> {
  const onLine = (line: string): void => void process.stdout.write(`${line}\n`)
  try {
    const { hash, steps, simulatedMs } = await runSimulation({
      plan,
      ...(isTraced ? { onLine } : {}),
    })
    const seconds = Math.round(simulatedMs / 1_000)
    say(`seed ${plan.seed}: hash ${hash}, ${steps} events, ${seconds} s simulated`)
  } catch (error) {
    if (!(error instanceof SimulationFailure)) throw error
    process.exitCode = 1
    const run = (smaller: typeof plan): Promise<unknown> => runSimulation({ plan: smaller })
    const nowMs = (): number => performance.now()
    const budgetMs = isTraced ? 0 : shrinkMs
    const shrunk = await shrink({ plan, failure: error }, { run, nowMs, budgetMs })
    say(shrunk.failure.message)
  }
}

async function runMany(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tq-simulation-'))
  const tally = new Tally(seeds)
  try {
    // One file, as it is now: quick, and a long run does not change when the sources do.
    const script = await bundle(CHILD, directory)
    let at = 0
    const fleet = new Fleet({
      script,
      jobs,
      next: () => {
        if (at >= seeds) return undefined
        const seed = plan.seed + at
        at += 1
        return { plan: { ...plan, seed }, isDouble: at <= doubles, shrinkMs }
      },
      onOutcome: (outcome) => hear(tally, outcome),
    })
    process.once('SIGINT', () => fleet.stop())
    process.once('SIGTERM', () => fleet.stop())
    const progress = setInterval(() => say(tally.line), PROGRESS_MS)
    await fleet.run()
    clearInterval(progress)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  say(tally.table)
  for (const missing of tally.missing) say(`never reached: ${missing}`)
  say(tally.line)
  if (tally.failures > 0 || tally.missing.length > 0) process.exitCode = 1
}

function hear(tally: Tally, outcome: Outcome): void {
  tally.add(outcome)
  const { failure } = outcome
  if (failure === undefined) return
  say(`\n${failure.text}\n`)
  const [why = ''] = failure.law.split('\n')
  if (isKept) keepSeed({ ...outcome.plan, why })
  say(`${isKept ? 'kept' : 'not kept'}: ${replayLine(outcome.plan)}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
