// Chaos from the command line: SEED, KILLS (of brokers and workers), OPERATIONS, WORKERS and so on.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT_NO_VERDICT, EXIT_VIOLATED, parameters } from '../run-parameters.ts'
import { chaos } from './chaos.ts'
import type { RoundReport } from './round.ts'

const SHOWN_MAX = 5

const seed = parameters.number('SEED', 1)
const kills = parameters.count('KILLS', 200)
const plan = {
  seed,
  kills,
  killsPerRound: Math.min(parameters.count('ROUND', 200), kills),
  operations: parameters.number('OPERATIONS', 0),
  producers: parameters.count('PRODUCERS', 2),
  workers: parameters.count('WORKERS', 3),
  adversaries: parameters.count('ADVERSARIES', 1),
  tasksPerSecond: parameters.count('RATE', 3_000),
  chaosMs: 1_000 * parameters.seconds('SECONDS', 3_600),
  directory: await mkdtemp(join(tmpdir(), 'tq-chaos-')),
  tell: (text: string) => say(`${elapsed()} ${text}`),
}

// Ends all that was started, which a signal alone would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const sinceMs = performance.now()
const totals: Record<string, number> = {}
let isBroken = false
let rounds = 0
/** With the stories of a whole round in it. */
let peakBytes = 0
for await (const report of chaos(plan)) {
  rounds += 1
  addUp(report)
  say(`${elapsed()} round ${rounds}: ${lineOf(report)}`)
  if (report.violations.length === 0) continue
  isBroken = true
  for (const { law, evidence } of report.violations.slice(0, SHOWN_MAX)) {
    say(`\n${law}\n${evidence}`)
  }
  say(`\n${report.violations.length} violations; histories: ${report.histories}`)
  say(`store: ${join(plan.directory, 'data')}; again with SEED=${seed}`)
}
if (!isBroken) await rm(plan.directory, { recursive: true, force: true })
const { operations } = plan
const isShort =
  (totals['kills'] ?? 0) < kills || (totals['acknowledged operations'] ?? 0) < operations
const figures = Object.entries(totals).map(([name, count]) => `${count} ${name}`)
say(
  `chaos seed ${seed}: ${elapsed()}, ${rounds} rounds, ${figures.join(', ')}, ${Math.round(peakBytes / 2 ** 20)} MiB`,
)
if (isBroken) {
  process.exitCode = EXIT_VIOLATED
} else if (isShort) {
  say(`fewer than KILLS=${kills} and OPERATIONS=${operations}: nothing is proved`)
  process.exitCode = EXIT_NO_VERDICT
}

function addUp({ violations, kills: killed, acknowledged, ...rest }: RoundReport): void {
  const { faults, open, tasks, runs, repeats } = rest
  const add = (name: string, count: number): void => {
    totals[name] = (totals[name] ?? 0) + count
  }
  peakBytes = Math.max(peakBytes, process.memoryUsage().rss)
  add('kills', killed)
  add('other faults', Object.values(faults).reduce((sum, count) => sum + count, 0) - killed)
  add('acknowledged operations', acknowledged)
  add('unanswered requests', open)
  add('tasks', tasks)
  add('executions', runs)
  for (const [cause, count] of Object.entries(repeats)) add(`repeated after ${cause}`, count)
  add('violations', violations.length)
}

function lineOf(report: RoundReport): string {
  const { kills: killed, acknowledged, tasks, ends, drainMs, brokerStarts, repeats } = report
  return [
    `${killed} kills, ${brokerStarts} starts of the broker`,
    `${acknowledged} acknowledged, ${tasks} tasks (${countsText(ends)})`,
    `repeats: ${countsText(repeats) || 'none'}`,
    `drained in ${(drainMs / 1_000).toFixed(1)} s`,
    `${report.violations.length} violations`,
  ].join('; ')
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}

function elapsed(): string {
  return `${Math.round((performance.now() - sinceMs) / 1_000)} s`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
