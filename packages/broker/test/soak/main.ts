// Soaks from the command line: SECONDS, OUT (directory), DIST (built packages), RATE (tasks/s), SEED; MODE=report reads OUT again.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { limits } from '@tq/core'
import { EXIT_NO_VERDICT, EXIT_VIOLATED, parameters, refuseRun } from '../run-parameters.ts'
import { serveLoad } from './load-process.ts'
import type { Sample } from './sample.ts'
import { JOURNAL_BYTES_MAX, soak, type SoakResult } from './soak.ts'
import { soakVerdict, VERDICT_SECONDS_MIN, verdictsOf, verdictTable } from './verdict.ts'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))
/** A store that comes back to its size but for this, and a journal that has filled, kept nothing. */
const STORE_TOLERANCE = 0.1

switch (parameters.choice('MODE', ['load', 'report'])) {
  case 'load':
    serveLoad()
    break
  case 'report':
    process.exitCode = tellOfTrends(readSamples(parameters.text('OUT') ?? '.'))
    break
  case undefined:
    await run()
}

async function run(): Promise<void> {
  const plan = {
    packages: parameters.text('DIST') ?? PACKAGES,
    seconds: parameters.seconds('SECONDS', 3_600),
    sampleSeconds: parameters.seconds('EVERY', 30),
    calibrationSeconds: parameters.seconds('CALIBRATION', 20),
    tasksPerSecond: parameters.has('RATE') ? parameters.count('RATE', 0) : undefined,
    seed: parameters.number('SEED', 1),
    keptMs: parameters.number('KEPT', 60_000),
    queues: parameters.count('QUEUES', limits.QUEUES_MAX),
  }
  const out = parameters.text('OUT') ?? mkdtempSync(join(tmpdir(), 'tq-soak-'))
  const calledOff = new AbortController()
  process.once('SIGINT', () => calledOff.abort())
  process.once('SIGTERM', () => calledOff.abort())
  if (plan.seconds < VERDICT_SECONDS_MIN) {
    say(`SECONDS=${plan.seconds}: too short for a verdict; that needs ${VERDICT_SECONDS_MIN}`)
  }
  say(`samples go to ${out}, and stay there; the data are removed at the end`)
  const entry = fileURLToPath(import.meta.url)
  const result = await soak({ ...plan, entry, out, signal: calledOff.signal, say })
  const isStoreSwollen = tellOfStore(result)
  const code = tellOfTrends(result.samples)
  rmSync(join(out, 'data'), { recursive: true, force: true })
  process.exit(isStoreSwollen ? EXIT_VIOLATED : code)
}

/** Prints the table, the figures and the verdict; gives the exit code for that. */
function tellOfTrends(samples: readonly Sample[]): number {
  const verdicts = verdictsOf(samples)
  process.stdout.write(`\n${verdictTable(verdicts)}\n\n`)
  const last = samples.at(-1)
  if (last === undefined) {
    say('no verdict: no samples')
    return EXIT_NO_VERDICT
  }
  const refusals = Object.entries(last.load.refusals).map(([code, count]) => `${code} ${count}`)
  say(
    `${samples.length} samples in ${(last.atSeconds / 60).toFixed(1)} min; ` +
      `${last.load.enqueued} enqueued, ${last.load.completed} completed, ` +
      `${last.load.failed} attempts failed, ${last.load.cancelled} cancelled, ` +
      `${last.load.visits} visits; refused: ${refusals.join(', ') || 'nothing'}`,
  )
  const { kind, text } = soakVerdict(last.atSeconds, verdicts)
  say(`soak: ${text}`)
  switch (kind) {
    case 'steady':
      return 0
    case 'growing':
      return EXIT_VIOLATED
    case 'none':
      return EXIT_NO_VERDICT
  }
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
  const file = join(out, 'samples.jsonl')
  if (!existsSync(file))
    refuseRun(`OUT is "${out}"; it must be a directory with samples.jsonl in it`)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Sample)
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
