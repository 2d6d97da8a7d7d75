// Runs seeds until one fails: for a planted bug, which ought to be caught by one of the first.

import { runSimulation } from '../simulation/simulation.ts'

const seeds = Number(process.env['SEEDS'] ?? 150)
const steps = Number(process.env['STEPS'] ?? 3_000)
for (let seed = 1; seed <= seeds; seed += 1) {
  try {
    await runSimulation({ plan: { seed, steps, without: [] } })
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    process.stdout.write(`seed ${seed}: ${text.split('\n')[0]}\n`)
    process.exitCode = 1
    break
  }
}
