// What a doctor makes of what a broker tells: one line for each thing looked at. Pure.

import type { BrokerStats, QueueStats, StartupReport } from '@tq/core'

/** early: the broker has not been up for long enough that its figures say anything. */
export type Verdict = 'ok' | 'early' | 'warn' | 'fail'

export interface Line {
  readonly name: string
  readonly verdict: Verdict
  readonly what: string
  /** What to do; only where something is not well. */
  readonly advice?: string
}

/** What the broker was asked, and when. */
export interface Examination {
  readonly queues: readonly QueueStats[]
  readonly broker: BrokerStats
  readonly workers: readonly WorkerFigures[]
  readonly reports: readonly StartupReport[]
  /** Of tq-admin. */
  readonly version: string
  readonly roundTripMs: number
  /** How far the broker's wall clock is ahead of ours, in ms. */
  readonly skewMs: number
}

export interface WorkerFigures {
  readonly name: string
  readonly slots: number
  readonly leases: number
  readonly health: 'ok' | 'late'
}

/** What is counted or timed since the start says little before, in ms. */
const SETTLED_MS = 60_000
/** A wall clock that is off by this much confuses people; by the next, due times and tokens too. */
const SKEW_WARN_MS = 2_000
const SKEW_FAIL_MS = 60_000
const ROUND_TRIP_WARN_MS = 100
/** A sync on a healthy disk takes some ms. */
const COMMIT_WARN_MS = 100
const LOOP_WARN_MS = 50
const LOOP_FAIL_MS = 500
/** Share of a limit from which on somebody should think of it. */
const NEAR = 0.8
const VERY_NEAR = 0.95
/** How long tasks may wait before it is asked why, in ms. */
const WAIT_WARN_MS = 60_000
const WAIT_GRACE_MS = 10_000
/** From so many attempts on a share of failures means something. */
const ATTEMPTS_MIN = 20
const FAILED_WARN = 0.5
/** Segments of the journal go whole, so a little more than its limit is usual. */
const JOURNAL_WARN = 1.25
/** Queues that a line names. */
const NAMED_MAX = 5

export function diagnose(examination: Examination): readonly Line[] {
  return [
    reached(examination),
    versions(examination),
    ready(examination),
    commits(examination),
    disk(examination),
    loop(examination),
    clock(examination),
    lastStart(examination),
    damage(examination),
    tasksLimit(examination),
    connectionsLimit(examination),
    journal(examination),
    workers(examination),
    unclaimed(examination),
    unmatched(examination),
    paused(examination),
    dead(examination),
    failures(examination),
  ].filter((line) => line !== undefined)
}

export function worstOf(lines: readonly Line[]): Verdict {
  if (lines.some(({ verdict }) => verdict === 'fail')) return 'fail'
  if (lines.some(({ verdict }) => verdict === 'warn')) return 'warn'
  return lines.some(({ verdict }) => verdict === 'early') ? 'early' : 'ok'
}

function reached({ roundTripMs }: Examination): Line {
  const what = `answers in ${ms(roundTripMs)}`
  if (roundTripMs < ROUND_TRIP_WARN_MS) return ok('reachable', what)
  return warn('reachable', what, 'look at the network and at the load of the machine')
}

function versions({ broker, version }: Examination): Line {
  const what = `tq-broker ${broker.version}, up for ${Math.round(broker.uptimeMs / 1_000)} s`
  if (broker.version === version) return ok('version', what)
  return warn('version', `${what}; this is tq-admin ${version}`, 'use tools of the same version')
}

function ready({ broker: { health } }: Examination): Line | undefined {
  if (health === undefined) return undefined
  if (health.notReady.length === 0) return ok('ready', 'takes new work')
  const advice = 'new tasks are refused until this is over; see the lines below'
  return fail('ready', health.notReady.join('; '), advice)
}

function commits({ broker }: Examination): Line | undefined {
  if (broker.health === undefined) return undefined
  const { commitMsP50, commitMsP99, commitMsLimit } = broker.health
  if (commitMsP50 === undefined || commitMsP99 === undefined) {
    if (isYoung(broker)) return early('commits', 'none yet')
    return ok('commits', 'none since the start, so nothing is known of how fast they are')
  }
  const what = `half within ${ms(commitMsP50)}, 99 % within ${ms(commitMsP99)}`
  const advice = 'the disk is slow at syncs, or busy with something else; every answer waits for it'
  if (commitMsP99 > commitMsLimit) return fail('commits', what, advice)
  if (isYoung(broker)) return early('commits', what)
  return commitMsP99 > COMMIT_WARN_MS ? warn('commits', what, advice) : ok('commits', what)
}

function disk({ broker: { health } }: Examination): Line | undefined {
  if (health?.freeBytes === undefined) return undefined
  const { freeBytes, freeBytesMin } = health
  const what = `${mib(freeBytes)} free, new tasks need ${mib(freeBytesMin)}`
  const advice = 'free some space, shorten retention, or give it a larger disk'
  if (freeBytes < freeBytesMin) return fail('disk', what, advice)
  return freeBytes < 2 * freeBytesMin ? warn('disk', what, advice) : ok('disk', what)
}

function loop({ broker }: Examination): Line | undefined {
  if (broker.health === undefined) return undefined
  const { loopDelayMsP99, stalls } = broker.health
  const stood = stalls === 0 ? '' : `; stood still ${stalls} times since the start`
  const what = `99 % of turns begin within ${ms(loopDelayMsP99)}${stood}`
  const advice =
    'the machine is overloaded, swaps or was suspended; give the broker a core of its own'
  // A start alone can hold the loop for long.
  if (isYoung(broker)) return early('event loop', what)
  if (loopDelayMsP99 > LOOP_FAIL_MS) return fail('event loop', what, advice)
  const isSlow = loopDelayMsP99 > LOOP_WARN_MS || stalls > 0
  return isSlow ? warn('event loop', what, advice) : ok('event loop', what)
}

function clock({ skewMs, roundTripMs }: Examination): Line {
  // Half the way is the answer's: what the skew cannot be told from.
  const certainMs = Math.max(0, Math.abs(skewMs) - roundTripMs / 2)
  const what = `the broker's clock is ${ms(Math.abs(skewMs))} ${skewMs < 0 ? 'behind' : 'ahead of'} this one`
  const advice = 'let NTP set both clocks; due times and times to live are judged by the broker’s'
  if (certainMs > SKEW_FAIL_MS) return fail('clock', what, advice)
  return certainMs > SKEW_WARN_MS ? warn('clock', what, advice) : ok('clock', what)
}

function lastStart({ reports: [last] }: Examination): Line | undefined {
  if (last === undefined) return undefined
  const what = `took ${ms(last.totalMs)}, epoch ${last.epoch}`
  if (last.abortedBefore !== undefined) {
    const text = `the start before it was cut off in the step ${last.abortedBefore}`
    return warn(
      'last start',
      text,
      'see the log of that time: out of memory, or killed by a supervisor?',
    )
  }
  if (last.warnings.length === 0) return ok('last start', what)
  return warn('last start', last.warnings.join('; '), 'see tq-admin startup-log')
}

function damage({ broker }: Examination): Line | undefined {
  if (broker.health === undefined) return undefined
  const { damagedRecords } = broker.health
  if (damagedRecords === 0) {
    const what = 'no damaged record was read since the start'
    return isYoung(broker) ? early('records', what) : ok('records', what)
  }
  const advice =
    'look at the disk; back up, and "tq-admin store check" the next time it stands still'
  return fail('records', `${damagedRecords} damaged records were read since the start`, advice)
}

function tasksLimit({ broker }: Examination): Line | undefined {
  if (broker.health === undefined) return undefined
  return near('tasks', broker.tasks, broker.health.tasksMax, {
    noun: 'live tasks',
    advice: 'add workers, or raise limits.tasksMax',
  })
}

function connectionsLimit({ broker }: Examination): Line | undefined {
  if (broker.health === undefined) return undefined
  return near('connections', broker.connections, broker.health.connectionsMax, {
    noun: 'connections',
    advice: 'share connections in clients, or raise limits.connectionsMax',
  })
}

function journal({ broker: { health } }: Examination): Line | undefined {
  if (health === undefined) return undefined
  const { journalBytes, journalBytesMax } = health
  const what = `${mib(journalBytes)} of ${mib(journalBytesMax)}`
  if (journalBytes <= journalBytesMax * JOURNAL_WARN) return ok('journal', what)
  return warn(
    'journal',
    what,
    'it is trimmed step by step; if it grows on, the disk cannot keep up',
  )
}

function workers({ workers: all, broker }: Examination): Line {
  const late = all.filter(({ health }) => health === 'late')
  const slots = all.reduce((sum, worker) => sum + worker.slots, 0)
  const leases = all.reduce((sum, worker) => sum + worker.leases, 0)
  const what = `${all.length} with ${slots} slots, ${leases} tasks held`
  if (late.length > 0) {
    const names = named(late.map(({ name }) => name))
    const text = `${what}; late with their heartbeat: ${names}`
    // After a start they are still finding their way back.
    if (isYoung(broker)) return early('workers', text)
    return warn('workers', text, 'they lose their tasks soon: look at them and at the network')
  }
  if (all.length > 0 || broker.tasks === 0) return ok('workers', what)
  if (isYoung(broker)) return early('workers', `${broker.tasks} live tasks, and no worker yet`)
  return warn('workers', `${broker.tasks} live tasks, and no worker`, 'start workers')
}

/** Tasks that are ready, and nobody asks for them nor works on the queue. */
function unclaimed({ queues, broker }: Examination): Line {
  const idle = queues.filter(
    ({ waitingClaims, running, assigned }) => waitingClaims + running + assigned === 0,
  )
  const left = idle.filter((queue) => (isYoung(broker) ? isReady(queue) : isWaiting(queue)))
  if (left.length > 0 && isYoung(broker)) {
    return early('waiting tasks', `nobody claims ${namedQueues(left)} yet`)
  }
  if (left.length === 0) return ok('waiting tasks', 'somebody works on each queue that has some')
  const what = `nobody claims ${namedQueues(left)}`
  return warn(
    'waiting tasks',
    what,
    'start a worker for these queues, or correct its list of queues',
  )
}

/** Tasks that are ready though claims wait for them: no worker has the labels that they require. */
function unmatched({ queues, broker }: Examination): Line | undefined {
  if (isYoung(broker)) return undefined
  const left = queues.filter((queue) => isWaiting(queue) && queue.waitingClaims > 0)
  if (left.length === 0) return undefined
  const what = `claims wait, but none may take what waits in ${namedQueues(left)}`
  return warn(
    'requirements',
    what,
    'no waiting worker has the labels or the priority: see tq-admin worker list',
  )
}

function paused({ queues }: Examination): Line {
  const left = queues.filter((queue) => queue.paused && queue.queued > 0)
  if (left.length === 0) return ok('paused queues', 'none that has waiting tasks')
  const advice = 'tq-admin queue resume, when what they wait for is over'
  return warn('paused queues', `tasks wait in ${namedQueues(left)}`, advice)
}

function dead({ queues }: Examination): Line {
  const left = queues.filter((queue) => (queue.dead ?? 0) > 0)
  const count = left.reduce((sum, queue) => sum + (queue.dead ?? 0), 0)
  if (count === 0) return ok('dead letters', 'none')
  const what = `${count} in ${named(left.map(({ queue }) => queue))}`
  return warn(
    'dead letters',
    what,
    `look at them: tq-admin task list --state dead; mend the cause, then tq-admin task redrive --queue ${left[0]?.queue}`,
  )
}

function failures({ queues, broker }: Examination): Line {
  const left = queues.filter(({ failedTotal, lostTotal, completedTotal }) => {
    const bad = failedTotal + lostTotal
    return bad + completedTotal >= ATTEMPTS_MIN && bad / (bad + completedTotal) > FAILED_WARN
  })
  if (left.length === 0) {
    const hasMany = queues.some(({ failedTotal, lostTotal, completedTotal }) => {
      return failedTotal + lostTotal + completedTotal >= ATTEMPTS_MIN
    })
    if (hasMany) return ok('retries', 'most attempts end well')
    const what = `fewer than ${ATTEMPTS_MIN} attempts in each queue since the start`
    return isYoung(broker) ? early('retries', what) : ok('retries', what)
  }
  const what = `more than half of all attempts ended badly in ${named(left.map(({ queue }) => queue))}`
  return warn('retries', what, 'tq-admin task get tells the errors of a task')
}

function isWaiting(queue: QueueStats): boolean {
  const { oldestReadyAgeMs = 0, waitingClaims } = queue
  return isReady(queue) && oldestReadyAgeMs > (waitingClaims > 0 ? WAIT_GRACE_MS : WAIT_WARN_MS)
}

function isReady({ paused: isPaused, queued }: QueueStats): boolean {
  return !isPaused && queued > 0
}

function isYoung({ uptimeMs }: BrokerStats): boolean {
  return uptimeMs < SETTLED_MS
}

function near(
  name: string,
  count: number,
  max: number,
  words: { readonly noun: string; readonly advice: string },
): Line {
  const what = `${count.toLocaleString('en-US')} ${words.noun} of ${max.toLocaleString('en-US')}`
  if (count >= max * VERY_NEAR) return fail(name, what, words.advice)
  return count >= max * NEAR ? warn(name, what, words.advice) : ok(name, what)
}

function namedQueues(queues: readonly QueueStats[]): string {
  return named(queues.map(({ queue, queued }) => `${queue} (${queued.toLocaleString('en-US')})`))
}

function named(names: readonly string[]): string {
  const more = names.length - NAMED_MAX
  const shown = names.slice(0, NAMED_MAX).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}

function ok(name: string, what: string): Line {
  return { name, verdict: 'ok', what }
}

function early(name: string, what: string): Line {
  return { name, verdict: 'early', what: `${what}: too early to tell` }
}

function warn(name: string, what: string, advice: string): Line {
  return { name, verdict: 'warn', what, advice }
}

function fail(name: string, what: string, advice: string): Line {
  return { name, verdict: 'fail', what, advice }
}

function ms(value: number): string {
  return value < 10 ? `${Math.round(value * 10) / 10} ms` : `${Math.round(value)} ms`
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20).toLocaleString('en-US')} MiB`
}
