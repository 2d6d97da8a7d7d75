// Plants each bug in a copy of the source and shows which test caught it: BUG (only this one), JOBS
// (how many at a time), CONTROL=0 (does not first run the tests without any bug).

import { EXIT_NO_VERDICT, EXIT_VIOLATED, parameters, refuseRun } from '../run-parameters.ts'
import { climb } from './ladder.ts'
import type { PlantedBug } from './planted-bug.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { Workshop } from './workshop.ts'

const only = parameters.text('BUG')
const jobs = parameters.count('JOBS', 1)
const isControlled = parameters.flag('CONTROL', true)
const bugs = PLANTED_BUGS.filter(({ name }) => only === undefined || name === only)
if (bugs.length === 0) {
  const names = PLANTED_BUGS.map(({ name }) => name).join('\n  ')
  refuseRun(`BUG is "${only}"; it must be one of\n  ${names}`)
}

if (isControlled) await control()
let caughtCount = 0
const waiting = [...bugs]
const startedAtMs = performance.now()
await Promise.all(Array.from({ length: Math.min(jobs, bugs.length) }, () => work()))
const minutes = (performance.now() - startedAtMs) / 60_000
process.stdout.write(
  `${caughtCount} of ${bugs.length} planted bugs caught in ${minutes.toFixed(1)} minutes\n`,
)
if (caughtCount < bugs.length) process.exitCode = EXIT_VIOLATED

/** A test that fails without any bug proves nothing about those that are planted. */
async function control(): Promise<void> {
  const workshop = await Workshop.make()
  const failed = await climb(workshop.directory)
  await workshop.remove()
  if (failed === undefined) {
    process.stdout.write('without a bug no test fails\n')
    return
  }
  process.stderr.write(`without any bug ${failed.rung} fails: ${failed.by}\n`)
  process.exit(EXIT_NO_VERDICT)
}

async function work(): Promise<void> {
  const workshop = await Workshop.make()
  try {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      await judge(workshop, bug)
    }
  } finally {
    await workshop.remove()
  }
}

async function judge(workshop: Workshop, bug: PlantedBug): Promise<void> {
  const takeOut = await workshop.plant(bug)
  const caught = await climb(workshop.directory, bug.rungs)
  await takeOut()
  if (caught !== undefined) caughtCount += 1
  const verdict = caught === undefined ? 'ESCAPED' : `${caught.rung}: ${caught.by}`
  process.stdout.write(`${bug.name} (${bug.breaks}: ${bug.harm})\n    ${verdict}\n`)
}
