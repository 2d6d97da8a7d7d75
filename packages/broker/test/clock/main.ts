// The clock rig from the command line: SEED (first), COUNT (random cases; 100), AT_ONCE (3). First the
// cases that everybody knows, then what chance makes up.

import { CLOCK_CASES, MORE_CLOCK_CASES, randomCase } from './clock-case.ts'
import { FakeClock } from './fake-clock.ts'
import { EXIT_NO_VERDICT, EXIT_VIOLATED, parameters } from '../run-parameters.ts'
import { runClockCases } from './clock-run.ts'

const first = parameters.number('SEED', 1)
const count = parameters.count('COUNT', 100)
const atOnce = parameters.count('AT_ONCE', 3)

if (FakeClock.missing === undefined) {
  const random = Array.from({ length: count }, (_, index) => randomCase(first + index))
  const known = parameters.has('SEED') ? [] : [...CLOCK_CASES, ...MORE_CLOCK_CASES]
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
  if (violations > 0) process.exitCode = EXIT_VIOLATED
} else {
  process.stdout.write(`clock: no verdict, nothing ran: ${FakeClock.missing}\n`)
  process.exitCode = EXIT_NO_VERDICT
}
