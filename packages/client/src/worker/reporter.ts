// Tells the broker how tasks ended: the reports of one turn in one frame for each kind.

import {
  type Completion,
  type Failure,
  type HeldTask,
  invariant,
  type ItemRefusal,
  limits,
  type ReplyOf,
  type Request,
  TqError,
  unreachable,
} from '@tq/core'
import type { Call } from '../call.ts'
import type { LeaseTable } from './lease-table.ts'
import { judgeRefusal } from '../refused-batch.ts'
import type { Report } from './run-task.ts'
import type { RunningTask } from './running-task.ts'
import type { Session } from '../session.ts'
import type { FailOutcome, WorkerEvent } from './worker-event.ts'

/** Bytes of results or errors in one frame, beside the first: it and a result fit 4 MiB. */
const FRAME_BYTES_MAX = 2 * 1024 * 1024
/** Progress that could not be told for so long, in ms, is old. */
const PROGRESS_MS = 10_000

type SentReport = Exclude<Report, { kind: 'nothing' }>
type ReportKind = SentReport['kind']

const KINDS: readonly ReportKind[] = ['complete', 'fail', 'release']

interface Entry {
  readonly running: RunningTask
  readonly report: SentReport
}

export interface ReporterOptions {
  readonly table: LeaseTable
  readonly emit: (event: WorkerEvent) => void
}

export class Reporter {
  readonly #session: Session
  readonly #options: ReporterOptions
  #gathered: Entry[] = []
  readonly #progressed = new Set<RunningTask>()
  #onTheWay = 0
  #whenIdle: (() => void) | undefined

  constructor(session: Session, options: ReporterOptions) {
    this.#session = session
    this.#options = options
  }

  /** Leaves at the end of this turn. The lease is kept until the broker has answered. */
  add(running: RunningTask, report: Report): void {
    this.#progressed.delete(running)
    if (report.kind === 'nothing') return this.#options.table.remove(running.lease)
    this.#gatherLater()
    this.#gathered.push({ running, report })
  }

  progressed(running: RunningTask): void {
    this.#gatherLater()
    this.#progressed.add(running)
  }

  /** Resolves when every report has been answered. */
  untilIdle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    return new Promise((resolve) => (this.#whenIdle = resolve))
  }

  /** Puts what was gathered on its way; called by itself at the end of the turn. */
  flush(): void {
    const entries = this.#gathered
    this.#gathered = []
    for (const kind of KINDS) {
      const same = entries.filter((entry) => entry.report.kind === kind)
      for (const group of groupsOf(same)) this.#send(kind, group)
    }
    this.#sendProgress()
  }

  #gatherLater(): void {
    if (this.#gathered.length > 0 || this.#progressed.size > 0) return
    this.#session.atTurnEnd(() => this.flush())
  }

  #send(kind: ReportKind, entries: readonly Entry[]): void {
    this.#onTheWay += 1
    const call: Call = this.#session.send({
      request: requestOf(kind, entries),
      // As long as the lease is renewed, the report is worth sending.
      deadlineAtMs: Infinity,
      bytes: entries.reduce((sum, entry) => sum + bytesOfReport(entry.report), 0),
      done: (reply: ReplyOf<ReportKind>) => {
        this.#take(kind, entries, reply, call.firstSentAtMs !== call.sentAtMs)
        this.#finish()
      },
      failed: (error) => {
        this.#takeRefusal(kind, entries, error)
        this.#finish()
      },
    })
  }

  #take(
    kind: ReportKind,
    entries: readonly Entry[],
    reply: ReplyOf<ReportKind>,
    wasRepeated: boolean,
  ): void {
    const refusals = new Map(reply.refused?.map((refusal) => [refusal[0], refusal]))
    const outcomes = 'outcomes' in reply ? reply.outcomes : []
    entries.forEach((entry, index) => {
      const refusal = refusals.get(index)
      // A repeated report of a task that ended and was not kept: the first one was heard.
      const isDone = refusal === undefined || (wasRepeated && refusal[1] === 'NOT_FOUND')
      if (isDone) this.#settle(entry, outcomes[index] ?? undefined)
      else this.#refuse(kind, entry, errorOf(refusal))
    })
  }

  #takeRefusal(kind: ReportKind, entries: readonly Entry[], error: unknown): void {
    const { refused, again } = judgeRefusal(error, entries)
    for (const entry of refused) this.#refuse(kind, entry, error as TqError)
    for (const group of again) this.#send(kind, group)
  }

  #settle({ running, report }: Entry, outcome: FailOutcome | undefined): void {
    const { table, emit } = this.#options
    table.remove(running.lease)
    const { task } = running
    const ms = Math.round(this.#session.settings.clock.monotonicMs() - running.startedAtMs)
    if (report.kind === 'complete') emit({ kind: 'task-completed', task, ms })
    else if (report.kind === 'release') emit({ kind: 'task-released', task })
    else emit({ kind: 'task-failed', task, ms, error: report.error, outcome })
  }

  #refuse(kind: ReportKind, entry: Entry, error: TqError): void {
    const { table, emit } = this.#options
    emit({ kind: 'report-refused', task: entry.running.task, report: kind, error })
    // Somebody cancels the task: the broker wants to hear that it was stopped, nothing else.
    if (error.code === 'INVALID_STATE' && kind !== 'release') {
      return this.add(entry.running, { kind: 'release' })
    }
    const isUnsendable = error.code === 'BAD_REQUEST' || error.code === 'TOO_LARGE'
    if (isUnsendable && kind === 'complete') {
      return this.add(entry.running, {
        kind: 'fail',
        error: { type: 'ResultRefusedError', message: `the result was refused: ${error.message}` },
      })
    }
    table.remove(entry.running.lease)
  }

  #sendProgress(): void {
    const told = [...this.#progressed]
    this.#progressed.clear()
    for (let at = 0; at < told.length; at += limits.ITEMS_PER_REQUEST_MAX) {
      const part = told.slice(at, at + limits.ITEMS_PER_REQUEST_MAX)
      const tasks = part.map((running) => ({ ...heldOf(running), ...running.lastProgress }))
      const ignore = (): void => {} // progress is only for display; the next one says more
      this.#session.send({
        request: { verb: 'progress', tasks },
        deadlineAtMs: this.#session.settings.clock.monotonicMs() + PROGRESS_MS,
        isResent: false,
        done: ignore,
        failed: ignore,
      })
    }
  }

  #finish(): void {
    this.#onTheWay -= 1
    if (this.#isIdle()) this.#whenIdle?.()
  }

  #isIdle(): boolean {
    return this.#onTheWay === 0 && this.#gathered.length === 0
  }
}

function groupsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const groups: Entry[][] = []
  let bytes = 0
  for (const entry of entries) {
    const last = groups.at(-1)
    const more = bytesOfReport(entry.report)
    const hasRoom = last !== undefined && last.length < limits.ITEMS_PER_REQUEST_MAX
    if (hasRoom && bytes + more <= FRAME_BYTES_MAX) {
      last.push(entry)
      bytes += more
    } else {
      groups.push([entry])
      bytes = more
    }
  }
  return groups
}

/** Entries of one request are of one kind. Literals: spreading cost a tenth of a worker's time. */
function requestOf(kind: ReportKind, entries: readonly Entry[]): Request {
  switch (kind) {
    case 'complete':
      return { verb: 'complete', tasks: entries.map(completionOf) }
    case 'fail':
      return { verb: 'fail', tasks: entries.map(failureOf) }
    case 'release':
      return { verb: 'release', tasks: entries.map(({ running }) => heldOf(running)) }
    default:
      return unreachable(kind)
  }
}

function completionOf({ running: { task }, report }: Entry): Completion {
  const result = report.kind === 'complete' ? report.result : undefined
  return { id: task.idBytes, token: task.token, result }
}

function failureOf({ running, report }: Entry): Failure {
  invariant(report.kind === 'fail', 'a fail request carries failures')
  return { ...heldOf(running), ...report }
}

function heldOf({ task }: RunningTask): HeldTask {
  return { id: task.idBytes, token: task.token }
}

function bytesOfReport(report: SentReport): number {
  switch (report.kind) {
    case 'complete':
      return report.result?.length ?? 0
    case 'fail':
      // A character has at most three bytes.
      return 3 * (report.error.message.length + (report.error.stack?.length ?? 0))
    case 'release':
      return 0
  }
}

function errorOf([index, code, message]: ItemRefusal): TqError {
  return new TqError(code, message, { index })
}
