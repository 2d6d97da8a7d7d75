// Fuzzes the protocol: SECONDS (of each mode; 60), SEED, MODE (dribble, structured, guided, story; all), KEEP=1 (new corpus entries).

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { keepFound } from './corpus.ts'
import { fuzz, type Mode, MODES } from './modes.ts'

const seed = Number(process.env['SEED'] ?? 1)
const seconds = Number(process.env['SECONDS'] ?? 60)
const chosen = process.env['MODE']
const isKept = process.env['KEEP'] === '1'
/** What the heap may have grown by when all is over and collected. */
const HEAP_BYTES_MAX = 64 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const modes = MODES.filter((mode) => chosen === undefined || chosen === mode)
if (modes.length === 0) throw new Error(`MODE must be one of ${MODES.join(', ')}, not ${chosen}`)
let isBroken = false
process.on('unhandledRejection', (error) => {
  isBroken = true
  process.stdout.write(`an unhandled rejection: ${String(error)}\n`)
})
for (const mode of modes) await run(mode)
if (isBroken) process.exitCode = 1

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
  if (report.failure !== undefined) process.stdout.write(`${mode} FAILED: ${report.failure}\n`)
  if (report.failure !== undefined || grown > HEAP_BYTES_MAX) isBroken = true
  if (isKept && report.found !== undefined) keepFound(report.found)
}
