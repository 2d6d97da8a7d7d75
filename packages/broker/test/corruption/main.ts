// Damages a store sector by sector: COUNT (how many; all), SEED, JOBS (brokers at a time), ONLY (part of a damage's name), ALL=1 (a line each).

import { EXIT_NO_VERDICT, EXIT_VIOLATED, parameters } from '../run-parameters.ts'
import { runCampaign } from './campaign.ts'

const seed = parameters.number('SEED', 1)
const count = parameters.count('COUNT', Infinity)
const jobs = parameters.count('JOBS', 1)
const only = parameters.text('ONLY')
const isTold = parameters.flag('ALL', false)
const PROGRESS_EVERY = 100

const startedAtMs = performance.now()
const result = await runCampaign({
  seed,
  count,
  jobs,
  ...(only === undefined ? {} : { only }),
  onVerdict: (name, verdict, doneCount) => {
    if (isTold || verdict.kind === 'violation') {
      process.stdout.write(`${name}: ${JSON.stringify(verdict).slice(0, 1_500)}\n`)
    } else if (doneCount % PROGRESS_EVERY === 0) {
      process.stdout.write(`${doneCount} damages so far\n`)
    }
  },
})
const seconds = (performance.now() - startedAtMs) / 1_000
const counts = Object.entries(result.counts).map(([kind, times]) => `${kind} ${times}`)
const refusals = Object.entries(result.refusals).map(([code, times]) => `${code} ${times}`)
process.stdout.write(
  `seed ${seed}: ${result.done} of ${result.possible} damages in ${seconds.toFixed(1)} s: ` +
    `${counts.join(', ')}; refusals: ${refusals.join(', ')}; ` +
    `tail at most ${result.tailCommitsMax} commits of ${result.unmarkedCommits} unmarked\n`,
)
if (result.done === 0) {
  process.stdout.write(`no verdict: no damage has a name with "${only}" in it\n`)
  process.exitCode = EXIT_NO_VERDICT
}
if (result.violations.length > 0) process.exitCode = EXIT_VIOLATED
