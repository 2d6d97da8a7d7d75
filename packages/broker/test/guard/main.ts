// What a task costs the broker, from the command line: COUNT (measurements), WRITE=1 (a new baseline).

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT_VIOLATED, parameters } from '../run-parameters.ts'
import { major, readBaseline, writeBaseline } from './baseline.ts'
import { GuardProcess } from './guard-process.ts'
import type { Ratios } from './measurement.ts'
import { regressions } from './verdict.ts'

const count = parameters.count('COUNT', 5)
const isWritten = parameters.flag('WRITE', false)
const directory = await mkdtemp(join(tmpdir(), 'tq-guard-'))
const measured: Ratios[] = []
try {
  const guarded = await GuardProcess.make(directory)
  for (let number = 1; number <= count; number += 1) {
    const ratios = await guarded.measure('none')
    measured.push(ratios)
    process.stdout.write(`${number}: ${told(ratios)}\n`)
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
const middle = { cpu: median('cpu'), heap: median('heap') }
process.stdout.write(`guard: ${told(middle)} in the middle, on Node ${major()}\n`)
if (isWritten) writeBaseline(middle)
const baseline = readBaseline()
if (baseline === undefined) {
  process.stdout.write(`there is no baseline for Node ${major()}; WRITE=1 records one\n`)
} else {
  const found = regressions(middle, baseline)
  for (const sentence of found) process.stdout.write(`REGRESSION: ${sentence}\n`)
  process.exitCode = found.length > 0 ? EXIT_VIOLATED : 0
}

function told({ cpu, heap }: Ratios): string {
  return `CPU ${cpu.toFixed(2)}, memory ${heap.toFixed(2)} units of the reference a task`
}

function median(name: keyof Ratios): number {
  const sorted = measured.map((ratios) => ratios[name]).toSorted((one, other) => one - other)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
