// Runs seeds from the command line: SEED (first), SEEDS (how many), STEPS (events each), TRACE=1 (all lines).

import { runSimulation } from './simulation.ts'
import { SOMETIMES_POINTS, type SometimesPoint } from './sometimes.ts'

const first = Number(process.env['SEED'] ?? 1)
const count = Number(process.env['SEEDS'] ?? 1)
const steps = Number(process.env['STEPS'] ?? 2_000)
const isTraced = process.env['TRACE'] === '1'

const points = new Map<SometimesPoint, number>()
const startedAtMs = performance.now()
let events = 0
let simulatedMs = 0
let failures = 0
for (let seed = first; seed < first + count; seed += 1) {
  try {
    const result = await runSimulation({
      seed,
      steps,
      ...(isTraced ? { onLine: (line: string) => void process.stdout.write(`${line}\n`) } : {}),
    })
    events += result.steps
    simulatedMs += result.simulatedMs
    for (const [point, times] of result.points) points.set(point, (points.get(point) ?? 0) + times)
    if (count === 1) process.stdout.write(`seed ${seed}: hash ${result.hash}\n`)
  } catch (error) {
    failures += 1
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n`)
  }
}
const seconds = (performance.now() - startedAtMs) / 1_000
for (const point of SOMETIMES_POINTS) {
  process.stdout.write(`${String(points.get(point) ?? 0).padStart(8)}  ${point}\n`)
}
process.stdout.write(
  `${count} seeds, ${failures} failures, ${events} events in ${seconds.toFixed(1)} s ` +
    `(${Math.round(events / seconds)} a second), ${Math.round(simulatedMs / 1_000)} s simulated\n`,
)
if (failures > 0) process.exitCode = 1
