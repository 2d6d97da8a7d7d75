// T10: lines that are cut, held, broken and chopped, and clients that vanish.

import { expect, it } from 'vitest'
import { FAR_CASES, playFarCase } from './far-story.ts'
import { FarNetwork } from './far-network.ts'
import { HALF_OPEN_FLAGS, vanishAgainAndAgain } from './half-open.ts'
import { PARTITION_CASES } from './partition-case.ts'
import { runPartitions, withBroker } from './partition-run.ts'

const HOLD_MS = 4_000
/** It takes seconds; a machine that is busy with other tests may take long for that. */
const PATIENCE_MS = 120_000

const missing = FarNetwork.missing()
if (missing !== undefined) process.stderr.write(`T10 between networks is skipped: ${missing}\n`)

it(
  'I2, I3, I12: a line that fails costs a lease at most, and nobody works on what another has',
  async () => {
    const violations: string[] = []

    await runPartitions({
      cases: PARTITION_CASES,
      atOnce: PARTITION_CASES.length,
      holdMs: () => HOLD_MS,
      report: (_, found) => violations.push(...found),
    })

    expect(violations).toEqual([])
  },
  PATIENCE_MS,
)

it(
  'I22: fifty clients that vanished are noticed, and leave no descriptor behind',
  async () => {
    const violations = await withBroker(HALF_OPEN_FLAGS, (broker) =>
      vanishAgainAndAgain({ broker, cycles: 50, atOnce: 25 }),
    )

    expect(violations).toEqual([])
  },
  PATIENCE_MS,
)

it.skipIf(missing !== undefined)(
  'I2, I12: packets that are dropped between two networks cost a lease at most',
  async () => {
    const found = await Promise.all(FAR_CASES.map((far) => playFarCase(far, HOLD_MS)))

    expect(found.flat()).toEqual([])
  },
  PATIENCE_MS,
)
