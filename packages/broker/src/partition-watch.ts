// Passes on what a partition tells: to metrics and log, to the pipeline and to housekeeping.

import { formatTaskId } from '@tq/core'
import type { Fact } from './engine/fact.ts'
import { NO_ROW, type Row } from './engine/rows.ts'
import type { DiskWatch } from './disk-watch.ts'
import type { EngineState } from './engine/state.ts'
import type { Failure } from './failure.ts'
import type { Health } from './health.ts'
import { type FactNames, logFact, type TaskNames } from './observe/fact-log.ts'
import type { Logger } from './observe/log.ts'
import type { Metrics } from './observe/metrics.ts'
import type { CommitReport } from './pipeline/commit-loop.ts'
import type { Housekeeping } from './pipeline/housekeeping.ts'
import type { PartitionEvents } from './pipeline/partition.ts'
import type { Pipeline } from './pipeline/pipeline.ts'
import type { SpaceReclaim } from './space-reclaim.ts'

/** Who listens, once the partition is there. */
export interface Listeners {
  readonly state: EngineState
  readonly pipeline: Pipeline
  readonly housekeeping: Housekeeping
  readonly disk: Pick<DiskWatch, 'wrote'>
  readonly space: Pick<SpaceReclaim, 'deleted'>
}

export interface PartitionWatchParts {
  readonly log: Logger
  readonly metrics: Metrics
  readonly failure: Failure
  readonly health: Health
  /** What the store says of its failure, if it says anything. */
  readonly refusal: () => string | undefined
}

export class PartitionWatch implements PartitionEvents {
  readonly #parts: PartitionWatchParts
  #listeners: Listeners | undefined
  #names: Names | undefined

  constructor(parts: PartitionWatchParts) {
    this.#parts = parts
  }

  connect(listeners: Listeners): void {
    this.#listeners = listeners
    this.#names = new Names(listeners.state)
  }

  readonly onFact = (fact: Fact, task: Row): void => {
    this.#parts.metrics.fact(fact)
    if (this.#listeners === undefined || this.#names === undefined) return
    this.#listeners.pipeline.heard(fact, task)
    this.#names.row = task
    logFact(this.#parts.log, fact, this.#names)
  }

  readonly onCommitted = (report: CommitReport): void => {
    this.#parts.metrics.committed(report)
    this.#parts.health.committed(report.ms)
    this.#listeners?.housekeeping.note(report.built.keptChanges)
    this.#listeners?.disk.wrote(report.built.bytes)
    this.#listeners?.space.deleted(report.built.batch.deleteKeys)
  }

  readonly onRoom = (): void => this.#listeners?.pipeline.drainBacklog()

  readonly onFailed = (outcome: 'fenced' | 'unknown'): void => {
    const lost = 'another broker has taken over the store'
    const unknown = this.#parts.refusal() ?? 'a commit may or may not be stored'
    this.#parts.failure.report(outcome === 'fenced' ? lost : unknown)
  }

  readonly onDamage = (what: string, key: Uint8Array): void => {
    this.#parts.metrics.damaged(what)
    this.#parts.health.damaged()
    this.#parts.log.error({ event: 'record-damaged', what, key: Buffer.from(key).toString('hex') })
  }
}

/** What a person calls the things that facts name by their numbers; looked up only for a line. */
class Names implements FactNames {
  readonly #state: EngineState
  /** The task of the fact at hand. */
  row: Row = NO_ROW

  constructor(state: EngineState) {
    this.#state = state
  }

  readonly task = (): TaskNames => {
    const { queue, type } = this.#state.profileOf(this.row)
    return { task: formatTaskId(this.#state.tasks.id(this.row)), queue: queue.name, type }
  }

  readonly queue = (queueNumber: number): string =>
    this.#state.queuesByNumber.get(queueNumber)?.name ?? `#${queueNumber}`

  readonly worker = (session: number): string => this.#state.sessionAt(session).displayName
}
