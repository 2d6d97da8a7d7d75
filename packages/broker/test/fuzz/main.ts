// Fuzzes the protocol: SECONDS (of each mode; 60), SEED, MODE (dribble, structured, guided, story; all), KEEP=1 (new corpus entries).

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { EXIT_NO_VERDICT, EXIT_VIOLATED, parameters } from '../run-parameters.ts'
import { keepFound } from './corpus.ts'
import { fuzz, type Mode, MODES } from './modes.ts'
import { verdictLine } from './verdict.ts'

const seed = parameters.number('SEED', 1)
const seconds = parameters.seconds('SECONDS', 60)
const chosen = parameters.choice('MODE', MODES)
const isKept = parameters.flag('KEEP', false)
/** What the heap may have grown by when all is over and collected. */
const HEAP_BYTES_MAX = 64 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const modes = chosen === undefined ? MODES : [chosen]
const failures: string[] = []
const total = { inputs: 0, longestCpuMs: 0, longestWallMs: 0 }
process.on('unhandledRejection', (error) => fail(`an unhandled rejection: ${String(error)}`))
const sinceMs = performance.now()
for (const mode of modes) await run(mode)
const ranSeconds = (performance.now() - sinceMs) / 1_000
process.stdout.write(`${verdictLine({ ...total, seconds: ranSeconds, failures })}\n`)
if (total.inputs === 0) process.exitCode = EXIT_NO_VERDICT
if (failures.length > 0) process.exitCode = EXIT_VIOLATED

async function run(mode: Mode): Promise<void> {
  collect()
  const heapBefore = process.memoryUsage().heapUsed
  const startedAtMs = performance.now()
  const report = await fuzz(mode, { seed, seconds, isKept: true })
  const took = (performance.now() - startedAtMs) / 1_000
  collect()
  const grown = process.memoryUsage().heapUsed - heapBefore
  const figures = Object.entries(report.figures).map(([name, figure]) => `${name} ${figure}`)
  process.stdout.write(
    `${mode}: seed ${seed}, ${report.execs} execs in ${took.toFixed(1)} s ` +
      `(${Math.round(report.execs / took)} a second), heap ${Math.round(grown / 1024)} KiB` +
      `${figures.length === 0 ? '' : `, ${figures.join(', ')}`}\n`,
  )
  const { inputs, longestCpuMs, longestWallMs } = report.watch
  total.inputs += inputs
  total.longestCpuMs = Math.max(total.longestCpuMs, longestCpuMs)
  total.longestWallMs = Math.max(total.longestWallMs, longestWallMs)
  if (report.failure !== undefined) fail(`${mode} FAILED: ${report.failure}`)
  if (grown > HEAP_BYTES_MAX)
    fail(`${mode}: the heap has grown by ${Math.round(grown / 2 ** 20)} MiB`)
  if (isKept && report.found !== undefined) keepFound(report.found)
}

function fail(text: string): void {
  failures.push(text)
  process.stdout.write(`${text}\n`)
}
