// One round: chaos until so many kills, then peace; everything drains, stops, and is checked.

import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TqClient } from '@tq/client'
import { FaultProxy } from '../end-to-end/fault-proxy.ts'
import { checkDataDirectory } from '../ledger/data-directory-check.ts'
import type { RigAddress } from '../rig-broker.ts'
import type { BrokerKeeper } from './broker-keeper.ts'
import type { ClientBundle } from './client-bundle.ts'
import { ClientProcess, type ClientSite } from './client-process.ts'
import { type ClientRole, QUEUE_SETTINGS } from './client-role.ts'
import { type QueueCount, type Violation, violationsOf } from './history-check.ts'
import { readHistories } from './history-files.ts'
import { type Fault, Killer, type Victims } from './killer.ts'
import { repeatsOf } from './run-laws.ts'
import { storedEnds } from './stored-ends.ts'
import { Stories } from './stories.ts'
import { TripWire } from './trip-wire.ts'

export interface RoundPlan {
  readonly number: number
  readonly seed: number
  readonly broker: BrokerKeeper
  readonly bundle: ClientBundle
  /** Gets a directory of histories for this round. */
  readonly directory: string
  readonly producers: number
  readonly workers: number
  readonly adversaries: number
  readonly tasksPerSecond: number
  /** Peace comes after so many kills of brokers and workers, or after so long. */
  readonly kills: number
  readonly chaosMs: number
  /** Told now and then how far it is. */
  readonly tell: (text: string) => void
}

export interface RoundReport {
  readonly violations: readonly Violation[]
  readonly histories: string
  readonly faults: Readonly<Record<Fault, number>>
  readonly kills: number
  readonly brokerStarts: number
  readonly acknowledged: number
  readonly open: number
  readonly tasks: number
  readonly ends: Readonly<Record<string, number>>
  readonly runs: number
  readonly repeats: Readonly<Record<string, number>>
  readonly drainMs: number
}

/** I12: when all is well again, everything that waits has ended within this; generous to busy machines. */
const DRAIN_MS_MAX = 120_000
const LOOK_MS = 200
const TELL_MS = 30_000
/** Clients that have not begun by then will do so during the chaos. */
const AT_WORK_MS_MAX = 15_000

export async function runRound(plan: RoundPlan): Promise<RoundReport> {
  const { broker } = plan
  const histories = join(plan.directory, `round-${plan.number}`)
  await mkdir(histories, { recursive: true })
  const queues = [...queuesOf(plan.number), ownQueueOf(plan.number)]
  const proxies = await Promise.all([1, 2].map(() => FaultProxy.start(() => broker.address)))
  const tripWire = await TripWire.start(() => broker.address)
  const startCount = broker.startCount
  broker.start()
  const client = new TqClient({
    address: textOf(proxies[0]?.address),
    reconnect: { baseMs: 20, capMs: 200 },
  })
  await prepare(client, plan.number)
  const cast = castOf(plan, histories, { proxies, tripWire })
  const victims = { broker, proxies, tripWire, ...cast }
  const killer = await wreak(plan, victims)
  const peace = await makePeace({ broker, ...cast }, client, queues)
  await client.close({ deadlineMs: 0 })
  await broker.stop()
  for (const proxy of [...proxies, tripWire]) proxy.stop()

  const stories = new Stories()
  const damages = await checkAtRest(broker.directory, { histories, queues })
  // Of a store that does not open nothing can be said but that.
  if (damages.length === 0) await readHistories(histories, stories)
  return {
    violations: [
      ...peace.violations,
      ...damages.map((evidence) => ({ law: 'the store at rest is not whole', evidence })),
      ...(damages.length === 0 ? violationsOf(stories, peace.counts) : []),
    ],
    histories,
    faults: killer.counts,
    kills: killer.killCount,
    brokerStarts: broker.startCount - startCount,
    drainMs: Math.round(peace.drainMs),
    ...figuresOf(stories),
  }
}

/** Starts all clients and lets the killer loose. */
async function wreak(plan: RoundPlan, victims: Victims): Promise<Killer> {
  const { broker, producers, workers, adversaries } = victims
  for (const client of [...producers, ...workers, ...adversaries]) client.start()
  const killer = new Killer(victims, plan.seed * 1_000 + plan.number)
  await untilAtWork([...producers, ...workers, ...adversaries])
  const untilMs = performance.now() + plan.chaosMs
  const timer = setInterval(() => {
    plan.tell(`round ${plan.number}: ${killer.killCount} of ${plan.kills} kills`)
  }, TELL_MS)
  await killer.run(
    () => killer.killCount >= plan.kills || performance.now() > untilMs || broker.hasEnded,
  )
  clearInterval(timer)
  return killer
}

/** Chaos begins when there is something to be disturbed. */
async function untilAtWork(clients: readonly ClientProcess[]): Promise<void> {
  const untilMs = performance.now() + AT_WORK_MS_MAX
  while (performance.now() < untilMs && !clients.every(({ isAtWork }) => isAtWork)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

interface Peace {
  readonly violations: readonly Violation[]
  readonly counts: readonly QueueCount[]
  readonly drainMs: number
}

/** Nobody is harmed any more: what waits must end soon, and all end in order. */
async function makePeace(
  { broker, producers, workers, adversaries, sweeper }: Cast & Pick<Victims, 'broker'>,
  client: TqClient,
  queues: readonly string[],
): Promise<Peace> {
  await Promise.all([...producers, ...adversaries].map((each) => each.stop()))
  sweeper.start()
  const { ms, stuck } = await drain(client, queues, () => broker.hasEnded)
  await Promise.all([...workers, sweeper].map((each) => each.stop()))
  const counts = await countsOf(client, queues).catch(() => [])
  const crashes = [...producers, ...workers, ...adversaries, sweeper].flatMap(
    (each) => each.crashes,
  )
  const faults = [...broker.faults, ...crashes]
  const violations = faults.map((evidence) => ({ law: 'a process behaved badly', evidence }))
  if (stuck !== undefined) {
    violations.push({ law: 'I12: not all tasks ended when all was well', evidence: stuck })
  }
  return { violations, counts, drainMs: ms }
}

function queuesOf(round: number): readonly string[] {
  return [`round-${round}-plain`, `round-${round}-redriven`]
}

/** Of the adversaries alone, until there is peace: what they do to themselves nobody disturbs. */
function ownQueueOf(round: number): string {
  return `round-${round}-own`
}

interface Cast extends Omit<Victims, 'broker' | 'proxies' | 'tripWire'> {
  /** A worker that comes with the peace, for the tasks that the adversaries leave behind. */
  readonly sweeper: ClientProcess
}

function castOf(
  plan: RoundPlan,
  histories: string,
  { proxies, tripWire }: Pick<Victims, 'proxies' | 'tripWire'>,
): Cast {
  const [one, other] = proxies
  const site = {
    bundle: plan.bundle,
    directory: histories,
    queues: queuesOf(plan.number),
    ownQueue: ownQueueOf(plan.number),
    tripWire: textOf(tripWire.address),
    seed: plan.seed * 1_000 + plan.number,
    tasksPerSecond: plan.tasksPerSecond / plan.producers,
  }
  const here = { ...site, address: textOf(one?.address) }
  const there = { ...site, address: textOf(other?.address) }
  const many = (part: ClientRole['part'], count: number, at: ClientSite): ClientProcess[] =>
    Array.from({ length: count }, (_, index) => new ClientProcess(part, index + 1, at))
  return {
    producers: many('producer', plan.producers, here),
    workers: many('worker', plan.workers, there),
    adversaries: many('adversary', plan.adversaries, here),
    sweeper: new ClientProcess('worker', plan.workers + 1, { ...there, queues: [site.ownQueue] }),
  }
}

function textOf(address: RigAddress | undefined): string {
  if (address === undefined) throw new Error('there is no proxy')
  return `${address.host}:${address.port}`
}

/** New queues for this round; those of the last one have been checked, and need not be kept. */
async function prepare(client: TqClient, round: number): Promise<void> {
  const queuesAt = (number: number): readonly string[] => [...queuesOf(number), ownQueueOf(number)]
  for (const queue of queuesAt(round)) await client.queueSet(queue, QUEUE_SETTINGS)
  if (round === 1) return
  for (const queue of queuesAt(round - 1)) {
    await client.queueSet(queue, { retentionCount: 0, deadRetentionCount: 0 })
  }
}

async function drain(
  client: TqClient,
  queues: readonly string[],
  isHopeless: () => boolean,
): Promise<{ readonly ms: number; readonly stuck: string | undefined }> {
  const sinceMs = performance.now()
  let last: unknown
  for (;;) {
    const ms = performance.now() - sinceMs
    try {
      const counts = await countsOf(client, queues)
      if (counts.every(({ live, kept }) => live === 0 && kept !== null)) {
        return { ms, stuck: undefined }
      }
      last = counts
    } catch (error) {
      last = error
    }
    if (ms > DRAIN_MS_MAX || isHopeless()) {
      return { ms, stuck: `after ${Math.round(ms)} ms: ${await tell(client, queues, last)}` }
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

async function tell(client: TqClient, queues: readonly string[], last: unknown): Promise<string> {
  const lines = [last instanceof Error ? String(last) : JSON.stringify(last)]
  try {
    for (const queue of queues) {
      for (const state of ['queued', 'running', 'assigned', 'retrying', 'scheduled'] as const) {
        const { tasks } = await client.list({ queue, state, limit: 3 })
        for (const { id } of tasks) lines.push(JSON.stringify(await client.get(id)))
      }
    }
  } catch (error) {
    lines.push(String(error))
  }
  return lines.join('\n')
}

async function countsOf(client: TqClient, queues: readonly string[]): Promise<QueueCount[]> {
  const counts: QueueCount[] = []
  for (const queue of queues) {
    const [stats] = (await client.stats(queue)).queues
    if (stats === undefined) throw new Error(`queue ${queue} is unknown`)
    const { scheduled, queued, assigned, running, retrying, kept, dead } = stats
    counts.push({ queue, live: scheduled + queued + assigned + running + retrying, kept, dead })
  }
  return counts
}

/** Checks the store while nobody has it, and notes how it holds what has ended. */
async function checkAtRest(
  directory: string,
  to: { readonly histories: string; readonly queues: readonly string[] },
): Promise<readonly string[]> {
  try {
    const damages = await checkDataDirectory(directory)
    const ends = await storedEnds(directory, to.queues)
    const text = ends.map((line) => `${JSON.stringify(line)}\n`).join('')
    await appendFile(join(to.histories, 'store.jsonl'), text)
    return damages
  } catch (error) {
    return [String(error)]
  }
}

function figuresOf(
  stories: Stories,
): Pick<RoundReport, 'acknowledged' | 'open' | 'tasks' | 'ends' | 'runs' | 'repeats'> {
  const ends: Record<string, number> = {}
  const repeats: Record<string, number> = {}
  let runs = 0
  for (const story of stories.tasks.values()) {
    const { end } = story
    if (end !== undefined) add(ends, end.state === 'dead' ? end.reason : end.state)
    runs += story.runs.length
    for (const cause of repeatsOf(story, stories.sessions)) add(repeats, cause ?? 'unexplained')
  }
  return {
    acknowledged: stories.acknowledgedCount,
    open: stories.openCount,
    tasks: stories.tasks.size,
    ends,
    runs,
    repeats,
  }
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
