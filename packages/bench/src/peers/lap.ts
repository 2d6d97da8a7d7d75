// One peer in one round: a fresh server, fresh load processes, each phase once.

import { setTimeout as delay } from 'node:timers/promises'
import { LoadChild } from './load-child.ts'
import type { LoadAnswer, Span, TaskRange } from './load-message.ts'
import { markLoad, otherPercent } from './other-load.ts'
import type { Peer } from './peer.ts'
import type { PhaseName } from './phase-name.ts'
import { type Sample, VoidRunError } from './sample.ts'
import type { ServerProcess } from './server-process.ts'
import type { Settings } from './settings.ts'
import type { LedgerVerdict } from './task-ledger.ts'

/** One producer process and one worker process with so many connections each. */
export const CONNECTIONS = 4
export const SLOTS = 64
export const BATCH = 500
export const BATCHES_OUTSTANDING = 2
export const SINGLES_OUTSTANDING = 64
const LATENCY_TASKS = 1_000
/** Enough for the compilers of all processes to have seen every path often. */
const WARM_UP_TASKS = 10_000
/** Until a queue whose tasks have all ended must say so, in ms. */
const EMPTY_MS = 10_000
const EMPTY_POLL_MS = 50

type Run = Pick<Sample, 'phase' | 'figures' | 'otherPercent'>
type EnqueuePhase = 'enqueue-batch' | 'enqueue-single'

export interface LapReport {
  readonly round: number
  readonly onSample: (sample: Sample) => void
  /** Ends the lap at once, with an error. */
  readonly signal: AbortSignal
}

/** Runs the phases and tells each sample. Throws VoidRunError if a task was lost or came twice. */
export async function runLap(peer: Peer, settings: Settings, report: LapReport): Promise<void> {
  const lap = new Lap(peer, settings)
  const abort = (): void => void lap.close()
  report.signal.addEventListener('abort', abort)
  try {
    report.signal.throwIfAborted()
    await lap.open()
    const phases = settings.phases.filter((phase) => peer.phases.includes(phase))
    for (const runs of lap.plan(phases)) {
      for (const sample of await undisturbed(runs, settings.otherPercentMax)) {
        if (!phases.includes(sample.phase)) continue
        report.onSample({ peer: peer.name, round: report.round, ...sample })
      }
    }
  } finally {
    report.signal.removeEventListener('abort', abort)
    await lap.close()
  }
}

/** Repeats runs once if other programs were busy, and keeps the quieter try. */
async function undisturbed(
  runs: () => Promise<readonly Run[]>,
  otherPercentMax: number,
): Promise<readonly Omit<Sample, 'peer' | 'round'>[]> {
  const loudest = (tries: readonly Run[]): number => {
    return Math.max(...tries.map((run) => run.otherPercent))
  }
  let kept = await runs()
  const isRepeated = loudest(kept) > otherPercentMax
  if (isRepeated) {
    const again = await runs()
    if (loudest(again) < loudest(kept)) kept = again
  }
  return kept.map((run) => {
    return { ...run, isRepeated, isDisturbed: run.otherPercent > otherPercentMax }
  })
}

class Lap {
  readonly #peer: Peer
  readonly #settings: Settings
  readonly #producer = new LoadChild()
  readonly #worker = new LoadChild()
  #server: ServerProcess | undefined
  /** Numbers are never used twice, so that what is left over from a run shows in the next. */
  #nextNumber = 0

  constructor(peer: Peer, settings: Settings) {
    this.#peer = peer
    this.#settings = settings
  }

  async open(): Promise<void> {
    const server = await this.#peer.start()
    this.#server = server
    await this.#peer.prepare(server.port)
    const { payloadBytes } = this.#settings
    const meet = { kind: 'meet', peer: this.#peer.name, port: server.port, payloadBytes } as const
    await Promise.all([this.#producer.order(meet, 'ready'), this.#worker.order(meet, 'ready')])
    await this.#producer.order({ kind: 'open-producers', connections: CONNECTIONS }, 'ready')
    const count = Math.min(WARM_UP_TASKS, this.#settings.tasks)
    await this.#fillAndDrain('enqueue-single', count)
    await this.#mix(count)
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer.stop(), this.#worker.stop()])
    await this.#server?.kill()
  }

  /** What has to be run for these phases: a drain needs tasks, and enqueued tasks are drained. */
  plan(phases: readonly PhaseName[]): (() => Promise<readonly Run[]>)[] {
    const { tasks } = this.#settings
    const wants = (...names: PhaseName[]): boolean => names.some((name) => phases.includes(name))
    return [
      ...(wants('enqueue-batch', 'drain')
        ? [() => this.#fillAndDrain('enqueue-batch', tasks)]
        : []),
      ...(wants('enqueue-single')
        ? [async () => (await this.#fillAndDrain('enqueue-single', tasks)).slice(0, 1)]
        : []),
      ...(wants('mixed') ? [() => this.#mix(tasks)] : []),
      ...(wants('latency') ? [() => this.#latency(Math.min(LATENCY_TASKS, tasks))] : []),
    ]
  }

  async #fillAndDrain(phase: EnqueuePhase, count: number): Promise<readonly Run[]> {
    const tasks = this.#range(count)
    const filled = await this.#measured(() => this.#enqueue(phase, tasks))
    const drained = await this.#measured(async () => {
      await this.#openWorkers(tasks)
      return this.#finishWorkers()
    })
    await this.#closeWorkers()
    await this.#verify('drain', drained.answer.verdict)
    return [
      runOf(phase, count, { ...filled, ...filled.answer }),
      runOf('drain', count, { ...drained, ...drained.answer }),
    ]
  }

  async #mix(count: number): Promise<readonly Run[]> {
    const tasks = this.#range(count)
    await this.#openWorkers(tasks)
    const measured = await this.#measured(async () => {
      const enqueued = await this.#enqueue('enqueue-batch', tasks)
      return { enqueued, worked: await this.#finishWorkers() }
    })
    await this.#closeWorkers()
    const { enqueued, worked } = measured.answer
    await this.#verify('mixed', worked.verdict)
    const span = { fromMs: enqueued.span.fromMs, toMs: worked.span.toMs }
    const cpuUs = enqueued.cpuUs + worked.cpuUs
    return [runOf('mixed', count, { ...measured, span, cpuUs })]
  }

  async #latency(count: number): Promise<readonly Run[]> {
    const tasks = this.#range(count)
    const measured = await this.#measured(() => {
      return this.#worker.order({ kind: 'latency', tasks, slots: SLOTS }, 'latency')
    })
    const { startMs, ackMs, verdict } = measured.answer
    await this.#verify('latency', verdict)
    const figures = {
      startP50Ms: quantile(startMs, 0.5),
      startP99Ms: quantile(startMs, 0.99),
      ackP50Ms: quantile(ackMs, 0.5),
      ackP99Ms: quantile(ackMs, 0.99),
    }
    return [{ phase: 'latency', figures, otherPercent: measured.otherPercent }]
  }

  #enqueue(
    phase: EnqueuePhase,
    tasks: TaskRange,
  ): Promise<Extract<LoadAnswer, { kind: 'enqueued' }>> {
    const how =
      phase === 'enqueue-batch'
        ? { batch: BATCH, outstanding: BATCHES_OUTSTANDING }
        : { batch: 1, outstanding: SINGLES_OUTSTANDING }
    return this.#producer.order({ kind: 'enqueue', tasks, ...how }, 'enqueued')
  }

  async #openWorkers(tasks: TaskRange): Promise<void> {
    const size = { connections: CONNECTIONS, slots: SLOTS }
    await this.#worker.order({ kind: 'open-workers', tasks, ...size }, 'ready')
  }

  #finishWorkers(): Promise<Extract<LoadAnswer, { kind: 'worked' }>> {
    return this.#worker.order({ kind: 'finish-workers' }, 'worked')
  }

  async #closeWorkers(): Promise<void> {
    await this.#worker.order({ kind: 'close-workers' }, 'ready')
  }

  /** Every task has come once, and the server knows of none that is left. */
  async #verify(phase: PhaseName, verdict: LedgerVerdict): Promise<void> {
    const port = this.#server?.port ?? 0
    const untilMs = performance.now() + EMPTY_MS
    let left = await this.#peer.countLeft(port)
    while (left > 0 && performance.now() < untilMs) {
      await delay(EMPTY_POLL_MS) // some count a little behind
      left = await this.#peer.countLeft(port)
    }
    if (verdict.lost + verdict.duplicated + verdict.strange + left === 0) return
    throw new VoidRunError(`${this.#peer.name}, ${phase}`, verdict, left)
  }

  async #measured<T>(
    load: () => Promise<T>,
  ): Promise<{ answer: T; serverUs: number; otherPercent: number }> {
    const mark = markLoad()
    const cpuUs = this.#server?.cpuUs() ?? 0
    const answer = await load()
    const serverUs = (this.#server?.cpuUs() ?? 0) - cpuUs
    return { answer, serverUs, otherPercent: otherPercent(mark, markLoad()) }
  }

  #range(count: number): TaskRange {
    const first = this.#nextNumber
    this.#nextNumber += count
    return { first, count }
  }
}

function runOf(
  phase: PhaseName,
  count: number,
  seen: {
    readonly span: Span
    readonly cpuUs: number
    readonly serverUs: number
    readonly otherPercent: number
  },
): Run {
  const seconds = (seen.span.toMs - seen.span.fromMs) / 1_000
  const figures = {
    tasksPerSecond: count / seconds,
    serverUsPerTask: seen.serverUs / count,
    clientUsPerTask: seen.cpuUs / count,
  }
  return { phase, figures, otherPercent: seen.otherPercent }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
