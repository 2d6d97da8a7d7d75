// The clock rig from the command line: SEED (first), COUNT (random cases; 100), AT_ONCE (3). First the
// cases that everybody knows, then what chance makes up.

import { CLOCK_CASES, MORE_CLOCK_CASES, randomCase } from './clock-case.ts'
import { FakeClock } from './fake-clock.ts'
import { runClockCases } from './clock-run.ts'

const first = Number(process.env['SEED'] ?? 1)
const count = Number(process.env['COUNT'] ?? 100)
const atOnce = Number(process.env['AT_ONCE'] ?? 3)

if (FakeClock.missing === undefined) {
  const random = Array.from({ length: count }, (_, index) => randomCase(first + index))
  const known = process.env['SEED'] === undefined ? [...CLOCK_CASES, ...MORE_CLOCK_CASES] : []
  const cases = [...known, ...random]
  const sinceMs = performance.now()
  let done = 0
  const violations = await runClockCases(cases, atOnce, (name, found) => {
    done += 1
    for (const violation of found) process.stderr.write(`VIOLATION ${violation}\n`)
    process.stdout.write(`${done}/${cases.length} ${name}: ${found.length === 0 ? 'ok' : 'BAD'}\n`)
  })
  const seconds = Math.round((performance.now() - sinceMs) / 1_000)
  process.stdout.write(`clock: ${cases.length} cases, ${violations} violations, ${seconds} s\n`)
  if (violations > 0) process.exitCode = 1
} else {
  process.stdout.write(`clock: skipped, ${FakeClock.missing}\n`)
}
