// T9: real brokers whose clocks step; needs libfaketime.

import { expect, it } from 'vitest'
import { CLOCK_CASES } from './clock-case.ts'
import { runClockCases } from './clock-run.ts'
import { FakeClock } from './fake-clock.ts'

/** It takes seconds; a machine that is busy with other tests may take long for that. */
const PATIENCE_MS = 120_000

const missing = FakeClock.missing
if (missing !== undefined) process.stderr.write(`T9 is skipped: ${missing}\n`)

it.skipIf(missing !== undefined)(
  'I11, I6: a clock that steps ends no lease early, forgets nothing, and fires nothing out of time',
  async () => {
    const violations: string[] = []

    await runClockCases(CLOCK_CASES, CLOCK_CASES.length, (_, found) => violations.push(...found))

    expect(violations).toEqual([])
  },
  PATIENCE_MS,
)
