// Soaks from the command line: SECONDS, OUT (directory), DIST (built packages), RATE (tasks/s), SEED; MODE=report reads OUT again.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { limits } from '@tq/core'
import { serveLoad } from './load-process.ts'
import type { Sample } from './sample.ts'
import { JOURNAL_BYTES_MAX, soak, type SoakResult } from './soak.ts'
import { verdictsOf, verdictTable } from './verdict.ts'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))
/** A store that comes back to its size but for this, and a journal that has filled, kept nothing. */
const STORE_TOLERANCE = 0.1

switch (process.env['MODE']) {
  case 'load':
    serveLoad()
    break
  case 'report':
    if (hasGrown(readSamples(process.env['OUT'] ?? '.'))) process.exitCode = 1
    break
  default:
    await run()
}

async function run(): Promise<void> {
  const seconds = number('SECONDS', 600)
  const given = process.env['OUT']
  const out = given ?? mkdtempSync(join(tmpdir(), 'tq-soak-'))
  const calledOff = new AbortController()
  process.once('SIGINT', () => calledOff.abort())
  process.once('SIGTERM', () => calledOff.abort())
  say(`data and samples in ${out}`)
  const result = await soak({
    packages: process.env['DIST'] ?? PACKAGES,
    entry: fileURLToPath(import.meta.url),
    out,
    seconds,
    sampleSeconds: number('EVERY', 30),
    calibrationSeconds: number('CALIBRATION', 20),
    tasksPerSecond: process.env['RATE'] === undefined ? undefined : number('RATE', 0),
    seed: number('SEED', 1),
    keptMs: number('KEPT', 60_000),
    queues: number('QUEUES', limits.QUEUES_MAX),
    signal: calledOff.signal,
    say,
  })
  const isGrown = hasGrown(result.samples)
  const isStoreSwollen = tellOfStore(result)
  if (isGrown || isStoreSwollen) process.exitCode = 1
  rmSync(given === undefined ? out : join(out, 'data'), { recursive: true, force: true })
  process.exit()
}

/** Prints the table; true if a measure grows. */
function hasGrown(samples: readonly Sample[]): boolean {
  const verdicts = verdictsOf(samples)
  process.stdout.write(`\n${verdictTable(verdicts)}\n\n`)
  const last = samples.at(-1)
  if (last === undefined) {
    say('no samples')
    return true
  }
  const growing = verdicts.filter(({ finding }) => finding === 'growing')
  const unclear = verdicts.filter(({ finding }) => finding === 'unclear')
  const refusals = Object.entries(last.load.refusals).map(([code, count]) => `${code} ${count}`)
  say(
    `${samples.length} samples in ${(last.atSeconds / 60).toFixed(1)} min; ` +
      `${last.load.enqueued} enqueued, ${last.load.completed} completed, ` +
      `${last.load.failed} attempts failed, ${last.load.cancelled} cancelled, ` +
      `${last.load.visits} visits; refused: ${refusals.join(', ') || 'nothing'}; ` +
      `growing: ${growing.map(({ measure }) => measure).join(', ') || 'nothing'}; ` +
      `unclear: ${unclear.map(({ measure }) => measure).join(', ') || 'nothing'}`,
  )
  return growing.length > 0
}

function tellOfStore({ storeBefore, storeAfter, left }: SoakResult): boolean {
  if (storeAfter === undefined) {
    say('cut short: the store was not measured again')
    return false
  }
  const before = storeBefore.storeBytes
  const after = storeAfter.storeBytes
  const isSwollen = after > before * (1 + STORE_TOLERANCE) + JOURNAL_BYTES_MAX
  say(
    `drained and compacted store: ${mib(before)} before, ${mib(after)} after: ` +
      `${isSwollen ? 'GROWN' : 'as before'}; tasks left: ${JSON.stringify(left)}`,
  )
  return isSwollen || Object.keys(left).length > 0
}

function readSamples(out: string): readonly Sample[] {
  const lines = readFileSync(join(out, 'samples.jsonl'), 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Sample)
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

function number(name: string, standard: number): number {
  const text = process.env[name]
  const value = text === undefined || text === '' ? standard : Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new Error(`${name}=${text}: it must be a number, 0 or more`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
