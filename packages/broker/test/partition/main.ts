// The partition rig from the command line: COUNT (rounds of all cases; 6), HOLD_MS (how long a fault lasts
// at most; 60000), SEED (of its length), CYCLES (clients that vanish; 500).

import { EXIT_VIOLATED, parameters } from '../run-parameters.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { FarNetwork } from './far-network.ts'
import { FAR_CASES, playFarCase } from './far-story.ts'
import { HALF_OPEN_FLAGS, vanishAgainAndAgain } from './half-open.ts'
import { PARTITION_CASES } from './partition-case.ts'
import { runPartitions, withBroker } from './partition-run.ts'

const HOLD_MS_MIN = 1_000

const rounds = parameters.count('COUNT', 6)
const holdMsMax = parameters.number('HOLD_MS', 60_000, { min: HOLD_MS_MIN })
const cycles = parameters.count('CYCLES', 500)
const random = new SeededRandom(parameters.number('SEED', 1), 'partition')

let faults = 0
let violationCount = 0
function report(name: string, violations: readonly string[]): void {
  faults += 1
  violationCount += violations.length
  for (const violation of violations) process.stderr.write(`VIOLATION ${violation}\n`)
  process.stdout.write(`${name}: ${violations.length === 0 ? 'ok' : 'BAD'}\n`)
}

const holdMs = (): number => Math.round(random.magnitude(HOLD_MS_MIN, holdMsMax))
const missing = FarNetwork.missing()
if (missing !== undefined) process.stdout.write(`between networks: skipped, ${missing}\n`)
const sinceMs = performance.now()
for (let round = 1; round <= rounds; round += 1) {
  process.stdout.write(`round ${round} of ${rounds}\n`)
  await runPartitions({ cases: PARTITION_CASES, atOnce: PARTITION_CASES.length, holdMs, report })
  if (missing !== undefined) continue
  const far = FAR_CASES.map(async (one) => report(one.name, await playFarCase(one, holdMs())))
  await Promise.all(far)
}
const options = { cycles, atOnce: 50 }
report(
  `${cycles} clients vanish`,
  await withBroker(HALF_OPEN_FLAGS, (broker) => vanishAgainAndAgain({ broker, ...options })),
)
const seconds = Math.round((performance.now() - sinceMs) / 1_000)
process.stdout.write(`partition: ${faults} faults, ${violationCount} violations, ${seconds} s\n`)
if (violationCount > 0) process.exitCode = EXIT_VIOLATED
