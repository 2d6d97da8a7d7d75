// Chaos from the command line: SEED, KILLS (of brokers and workers), OPERATIONS, WORKERS and so on.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chaos } from './chaos.ts'
import type { RoundReport } from './round.ts'

const SHOWN_MAX = 5

const { env } = process
const numberOf = (name: string, standard: number): number => {
  const text = env[name] ?? ''
  const value = text === '' ? standard : Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  say(`${name} is "${text}"; it must be a number, such as ${standard}`)
  process.exit(2)
}
const seed = numberOf('SEED', 1)
const kills = numberOf('KILLS', 200)
const plan = {
  seed,
  kills,
  killsPerRound: Math.min(numberOf('ROUND', 200), kills),
  operations: numberOf('OPERATIONS', 0),
  producers: numberOf('PRODUCERS', 2),
  workers: numberOf('WORKERS', 3),
  adversaries: numberOf('ADVERSARIES', 1),
  tasksPerSecond: numberOf('RATE', 1_000),
  chaosMs: 1_000 * numberOf('SECONDS', 3_600),
  directory: await mkdtemp(join(tmpdir(), 'tq-chaos-')),
  tell: (text: string) => say(`${elapsed()} ${text}`),
}

// Ends all that was started, which a signal alone would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const sinceMs = performance.now()
const totals: Record<string, number> = {}
let isBroken = false
let rounds = 0
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
const figures = Object.entries(totals).map(([name, count]) => `${count} ${name}`)
say(`chaos seed ${seed}: ${elapsed()}, ${rounds} rounds, ${figures.join(', ')}`)
process.exitCode = isBroken ? 1 : 0

function addUp({ violations, kills: killed, acknowledged, ...rest }: RoundReport): void {
  const { faults, open, tasks, runs, repeats } = rest
  const add = (name: string, count: number): void => {
    totals[name] = (totals[name] ?? 0) + count
  }
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
