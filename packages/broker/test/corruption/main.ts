// Damages a store sector by sector: COUNT (how many; all), SEED, JOBS (brokers at a time), ONLY (part of a damage's name), ALL=1 (a line each).

import { runCampaign } from './campaign.ts'

const seed = Number(process.env['SEED'] ?? 1)
const count = Number(process.env['COUNT'] ?? Infinity)
const jobs = Number(process.env['JOBS'] ?? 1)
const only = process.env['ONLY']
const isTold = process.env['ALL'] === '1'
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
if (result.violations.length > 0) process.exitCode = 1
